"""Caps on what is spent in an hour or a day, by all or by one customer.

What is held for model calls under way counts as spent, so that however many turns run at once,
no cap can be passed. The one way past it is a call that costs more than was held for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from interlock.breakers.window import SumWindow

__all__ = ["CAPS", "Cap", "CapReached", "Caps", "Hold", "Spend", "is_of_customer"]

Cap = Literal["perHourUsd", "perDayUsd", "perCustomerPerHourUsd", "perCustomerPerDayUsd"]
"""The keys under `spend` in interlock.yaml."""

CAPS: tuple[Cap, ...] = get_args(Cap)

Caps = Mapping[Cap, int]
"""The declared caps in nano-dollars."""

_HOUR, _DAY = 3600.0, 86400.0
_HOUR_WIDTH, _DAY_WIDTH = 60.0, 900.0
_PRUNE_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Hold:
    """Nano-dollars held for one model call; `settle` gives them back."""

    customer: str | None
    nano: int


@dataclass(frozen=True, slots=True)
class CapReached:
    """Why nothing more can be held."""

    cap: Cap
    most: int
    """The cap."""
    used: int
    """Spent and held."""
    free_at: float
    """When there may be room again, in seconds since the epoch."""
    needed: int
    """What there was no room for."""

    @property
    def of_customer(self) -> bool:
        """Whether it is one customer's cap."""
        return is_of_customer(self.cap)


def is_of_customer(cap: Cap) -> bool:
    """Whether the cap is on what one customer spends."""
    return cap.startswith("perCustomer")


class _Pot:
    """What one customer, or everybody, has spent and holds."""

    __slots__ = ("day", "held", "hour")

    def __init__(self) -> None:
        self.hour = SumWindow(_HOUR, _HOUR_WIDTH)
        self.day = SumWindow(_DAY, _DAY_WIDTH)
        self.held = 0

    def add(self, now: float, nano: int) -> None:
        self.hour.add(now, nano)
        self.day.add(now, nano)

    def window(self, cap: Cap) -> SumWindow:
        return self.hour if cap.endswith("HourUsd") else self.day

    def is_empty(self, now: float) -> bool:
        return not self.held and not self.day.total(now)


class Spend:
    """What was spent in the last hour and day, and what is held for calls under way."""

    def __init__(self) -> None:
        self.caps: Caps = {}
        self.ignored: frozenset[Cap] = frozenset()
        """Caps that an operator has disabled."""
        self._all = _Pot()
        self._customers: dict[str, _Pot] = {}
        self._since_pruned = 0

    def charge(self, now: float, customer: str | None, nano: int) -> None:
        """Counts what was spent before; times must not go back."""
        self._all.add(now, nano)
        if customer is not None:
            self._pot(customer, now).add(now, nano)

    def reached(self, now: float, customer: str | None, nano: int = 1) -> CapReached | None:
        """The cap that has no room for `nano` more; with 1, one that has no room at all."""
        for cap in self.caps:
            found = self.reached_under(cap, now, customer, nano)
            if found is not None:
                return found
        return None

    def reached_under(
        self, cap: Cap, now: float, customer: str | None, nano: int = 1
    ) -> CapReached | None:
        """The same for one of the declared caps."""
        pot = self._customer_pot(customer) if is_of_customer(cap) else self._all
        if pot is None or cap in self.ignored:
            return None
        most, window = self.caps[cap], pot.window(cap)
        used = window.total(now) + pot.held
        if used + nano <= most:
            return None
        free_at = window.falls_to(now, max(0, most - nano - pot.held))
        return CapReached(cap, most, used, free_at, nano)

    def hold(self, now: float, customer: str | None, nano: int) -> Hold | CapReached:
        """Holds nano-dollars for a model call, or says which cap has no room for them."""
        reached = self.reached(now, customer, nano) if nano else None
        if reached is not None:
            return reached
        self._all.held += nano
        if customer is not None:
            self._pot(customer, now).held += nano
        return Hold(customer, nano)

    def settle(self, now: float, hold: Hold, nano: int) -> None:
        """Replaces what was held by what was spent."""
        self._all.held -= hold.nano
        if hold.customer is not None:
            self._pot(hold.customer, now).held -= hold.nano
        if nano:
            self.charge(now, hold.customer, nano)

    def used(self, now: float, cap: Cap, customer: str | None = None) -> int:
        """Spent and held under a cap, by everybody or by one customer."""
        pot = self._customer_pot(customer) if is_of_customer(cap) else self._all
        return 0 if pot is None else pot.window(cap).total(now) + pot.held

    def forgive(self, cap: Cap) -> None:
        """Forgets what was spent under a cap, so that all of it may be spent again."""
        pots = self._customers.values() if is_of_customer(cap) else (self._all,)
        for pot in pots:
            if cap.endswith("HourUsd"):
                pot.hour = SumWindow(_HOUR, _HOUR_WIDTH)
            else:
                pot.day = SumWindow(_DAY, _DAY_WIDTH)

    def _customer_pot(self, customer: str | None) -> _Pot | None:
        return None if customer is None else self._customers.get(customer, _Pot())

    def _pot(self, customer: str, now: float) -> _Pot:
        self._since_pruned += 1
        if self._since_pruned >= _PRUNE_EVERY:
            self._since_pruned = 0
            # Most customers come once: what they spent yesterday is of no use any more.
            self._customers = {
                name: pot for name, pot in self._customers.items() if not pot.is_empty(now)
            }
        return self._customers.setdefault(customer, _Pot())
