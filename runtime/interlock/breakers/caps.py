"""The breakers of the spend caps: what is refused at a cap, and until there is room again."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.breakers.spend import CAPS, Cap, CapReached, Caps, Hold, Spend, is_of_customer
from interlock.breakers.status import Change, Status
from interlock.model.usage import usd

__all__ = ["CapBreakers", "CapChange"]

_SLACK = 0.1
"""A cap that was reached admits turns again once this share of it is free."""


@dataclass(frozen=True, slots=True)
class CapChange:
    """The breaker of a cap has changed its state."""

    cap: Cap
    change: Change


class CapBreakers:
    """One breaker for each cap. One that is on customers is open while any customer is paused.

    A model call is refused if its cost does not fit; a turn is refused if nothing fits, and from
    then on until a tenth of the cap is free.
    """

    def __init__(self) -> None:
        self.spend = Spend()
        self._statuses: dict[Cap, Status] = {cap: Status() for cap in CAPS}
        self._paused: dict[Cap, set[str]] = {cap: set() for cap in CAPS}

    def adopt(self, caps: Caps) -> None:
        """Goes by other caps from now on."""
        self.spend.caps = caps

    def restore(self, cap: Cap, status: Status) -> None:
        """Takes over what an earlier process has kept."""
        self._statuses[cap] = status
        self._ignore()

    def status(self, cap: Cap) -> Status:
        """The status of a cap's breaker."""
        return self._statuses[cap]

    def paused(self, cap: Cap) -> int:
        """How many customers are paused by a cap."""
        return len(self._paused[cap])

    def admit(self, now: float, customer: str | None) -> tuple[CapReached | None, list[CapChange]]:
        """The cap that keeps a turn from beginning, if one does, and what changed thereby."""
        changes = self.refresh(now)
        for cap, most in self.spend.caps.items():
            if self._statuses[cap].held:
                return CapReached(cap, most, self.spend.used(now, cap, customer), now), changes
            slack = _SLACK if self._is_paused(cap, customer) else 0.0
            reached = self.spend.reached_under(cap, now, customer, slack=slack)
            if reached is not None:
                changes += self._open(reached, now, customer)
                return reached, changes
        return None, changes

    def hold(
        self, now: float, customer: str | None, nano: int
    ) -> tuple[Hold | CapReached, list[CapChange]]:
        """Holds the cost of a model call, or says which cap has no room for it."""
        for cap, most in self.spend.caps.items():
            if self._statuses[cap].held:
                return CapReached(cap, most, self.spend.used(now, cap, customer), now), []
        held = self.spend.hold(now, customer, nano)
        return held, self._open(held, now, customer) if isinstance(held, CapReached) else []

    def refresh(self, now: float) -> list[CapChange]:
        """Closes what there is room under again."""
        changes = []
        for cap, status in self._statuses.items():
            if status.state == "closed" or status.held:
                continue
            if cap in self.spend.caps and self._still_paused(cap, now):
                continue
            self._paused[cap].clear()
            changes.append(CapChange(cap, status.move("closed", now, "there is room again")))
        return changes

    def trip(self, cap: Cap, now: float, *, who: str | None, why: str) -> Change:
        """Lets nothing be spent until somebody resets it."""
        change = self._statuses[cap].trip(now, who=who, why=why)
        self._ignore()
        return change

    def reset(self, cap: Cap, now: float, *, who: str | None, why: str) -> Change:
        """Forgets what was spent under the cap: all of it may be spent again."""
        self.spend.forgive(cap)
        self._paused[cap].clear()
        return self._statuses[cap].reset(now, who=who, why=why)

    def disable(self, cap: Cap, now: float, *, who: str | None, why: str) -> Change:
        """Lets everything be spent, however much."""
        self._paused[cap].clear()
        change = self._statuses[cap].disable(now, who=who, why=why)
        self._ignore()
        return change

    def enable(self, cap: Cap, now: float, *, who: str | None, why: str) -> Change:
        """Holds the cap again; what was spent meanwhile counts."""
        change = self._statuses[cap].enable(now, who=who, why=why)
        self._ignore()
        return change

    def _ignore(self) -> None:
        self.spend.ignored = frozenset(
            cap for cap, status in self._statuses.items() if status.disabled
        )

    def _is_paused(self, cap: Cap, customer: str | None) -> bool:
        if is_of_customer(cap):
            return customer in self._paused[cap]
        return self._statuses[cap].state == "open"

    def _still_paused(self, cap: Cap, now: float) -> bool:
        if not is_of_customer(cap):
            return self.spend.reached_under(cap, now, None, slack=_SLACK) is not None
        self._paused[cap] = {
            customer
            for customer in self._paused[cap]
            if self.spend.reached_under(cap, now, customer, slack=_SLACK) is not None
        }
        return bool(self._paused[cap])

    def _open(self, reached: CapReached, now: float, customer: str | None) -> list[CapChange]:
        cap, status = reached.cap, self._statuses[reached.cap]
        if is_of_customer(cap) and customer is not None:
            self._paused[cap].add(customer)
        if status.state == "open":
            status.until = reached.free_at
            return []
        whose = f"the customer {customer} has" if is_of_customer(cap) else "model calls have"
        why = f"{whose} used {usd(reached.used):.4f} of {usd(reached.most):.4f} USD"
        status.opens += 1
        return [CapChange(cap, status.move("open", now, why, until=reached.free_at))]
