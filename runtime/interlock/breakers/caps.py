"""The breakers of the spend caps: what is refused at a cap, and until there is room again."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.breakers.spend import CAPS, Cap, CapReached, Caps, Hold, Spend, is_of_customer
from interlock.breakers.status import Change, Status
from interlock.model.usage import usd

__all__ = ["CapBreakers", "CapChange"]

_SLACK = 10
"""A cap that was reached admits turns again once one part in so many of it is free."""


@dataclass(frozen=True, slots=True)
class CapChange:
    """The breaker of a cap has changed its state."""

    cap: Cap
    change: Change


class CapBreakers:
    """One breaker for each cap. One that is on customers is open while any customer is paused.

    A model call is refused if its cost does not fit; from then on turns are refused until it fits
    again and a tenth of the cap is free. Otherwise a turn is refused only if nothing fits.
    """

    def __init__(self) -> None:
        self.spend = Spend()
        self._statuses: dict[Cap, Status] = {cap: Status() for cap in CAPS}
        # What there was no room for, by customer; None is everybody.
        self._paused: dict[Cap, dict[str | None, int]] = {cap: {} for cap in CAPS}

    def adopt(self, caps: Caps) -> None:
        """Goes by other caps from now on."""
        self.spend.caps = caps

    def restore(self, cap: Cap, status: Status, needed: int) -> None:
        """Takes over what an earlier process has kept; which customers were paused it has not."""
        self._statuses[cap] = status
        if status.state == "open" and not is_of_customer(cap):
            self._paused[cap][None] = needed
        self._ignore()

    def status(self, cap: Cap) -> Status:
        """The status of a cap's breaker."""
        return self._statuses[cap]

    def paused(self, cap: Cap) -> int:
        """How many customers are paused by a cap."""
        return len(self._paused[cap])

    def needed(self, cap: Cap) -> int:
        """What there was no room for when everybody was paused by a cap, in nano-dollars."""
        return self._paused[cap].get(None, 0)

    def admit(self, now: float, customer: str | None) -> tuple[CapReached | None, list[CapChange]]:
        """The cap that keeps a turn from beginning, if one does, and what changed thereby."""
        changes = self.refresh(now)
        for cap in self.spend.caps:
            if self._statuses[cap].held:
                return self._held(cap, now, customer), changes
            reached = self.spend.reached_under(cap, now, customer, self._room(cap, customer))
            if reached is not None:
                changes += self._open(reached, now, customer)
                return reached, changes
        return None, changes

    def hold(
        self, now: float, customer: str | None, nano: int
    ) -> tuple[Hold | CapReached, list[CapChange]]:
        """Holds the cost of a model call, or says which cap has no room for it."""
        for cap in self.spend.caps:
            if self._statuses[cap].held:
                return self._held(cap, now, customer), []
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

    def _held(self, cap: Cap, now: float, customer: str | None) -> CapReached:
        used = self.spend.used(now, cap, customer)
        return CapReached(cap, self.spend.caps[cap], used, now, needed=0)

    def _room(self, cap: Cap, customer: str | None) -> int:
        """What has to be free for a turn to be taken, in nano-dollars."""
        needed = self._paused[cap].get(customer if is_of_customer(cap) else None)
        if needed is None:
            return 1
        # Where a single call does not fit under the whole cap, waiting would be of no use.
        most = self.spend.caps[cap]
        return max(most // _SLACK, min(needed, most), 1)

    def _still_paused(self, cap: Cap, now: float) -> bool:
        self._paused[cap] = {
            customer: needed
            for customer, needed in self._paused[cap].items()
            if self.spend.reached_under(cap, now, customer, self._room(cap, customer)) is not None
        }
        return bool(self._paused[cap])

    def _open(self, reached: CapReached, now: float, customer: str | None) -> list[CapChange]:
        cap, status = reached.cap, self._statuses[reached.cap]
        whom = customer if is_of_customer(cap) else None
        self._paused[cap].setdefault(whom, reached.needed)
        if status.state == "open":
            status.until = reached.free_at
            return []
        whose = f"the customer {customer} has" if is_of_customer(cap) else "model calls have"
        why = (
            f"{whose} used {usd(reached.used):.4f} of {usd(reached.most):.4f} USD, "
            f"and {usd(reached.needed):.4f} more may be needed"
        )
        status.opens += 1
        return [CapChange(cap, status.move("open", now, why, until=reached.free_at))]
