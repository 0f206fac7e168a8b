"""The last hour cost far more than hours usually do: new conversations wait."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from interlock.breakers.status import Change, Status
from interlock.breakers.window import SumWindow
from interlock.model.usage import usd

__all__ = ["HOUR", "MOST_HOURS", "CostSpike", "CostSpikePolicy", "Spike"]

HOUR = 3600.0
MOST_HOURS = 168
"""As many hours can be looked back at."""

_WIDTH = 300.0


@dataclass(frozen=True, slots=True)
class CostSpikePolicy:
    """When it trips and recovers."""

    factor: float
    recover_below: float
    hours: int
    min_hours: int
    min_nano: int


@dataclass(frozen=True, slots=True)
class Spike:
    """What the last hour cost and what an hour usually costs, in nano-dollars."""

    hour: int
    baseline: int | None
    """The median of the earlier hours in which anything was spent; None while they are too few."""


class CostSpike:
    """Pauses new conversations while an hour costs more than `factor` times the usual.

    There is no verdict before `min_hours` earlier hours in which anything was spent, and none
    about an hour that cost less than `min_nano`. After a reset there is none for an hour, as what
    was spent is spent.
    """

    def __init__(self, policy: CostSpikePolicy, status: Status | None = None) -> None:
        self.policy = policy
        self.status = Status() if status is None else status
        self._costs = SumWindow((MOST_HOURS + 1) * HOUR, _WIDTH)
        # What an hour usually costs changes only with the bucket that the last hour begins with.
        self._baseline: tuple[tuple[float, int, int], int | None] | None = None

    def add(self, now: float, nano: int) -> None:
        """Counts what a model call cost."""
        self._costs.add(now, nano)

    def spike(self, now: float) -> Spike:
        """The last hour beside the earlier ones."""
        start = (now // _WIDTH + 1) * _WIDTH - HOUR
        key = (start, self.policy.hours, self.policy.min_hours)
        if self._baseline is None or self._baseline[0] != key:
            self._baseline = key, self._median(now, start)
        return Spike(self._costs.since(start), self._baseline[1])

    def refresh(self, now: float) -> Change | None:
        """Judges the last hour."""
        status, policy = self.status, self.policy
        if status.disabled or status.held:
            return None
        seen = self.spike(now)
        if status.state == "closed":
            if status.until is not None and now < status.until:
                return None
            if (
                seen.baseline is None
                or seen.hour < policy.min_nano
                or seen.hour <= policy.factor * seen.baseline
            ):
                return None
            status.opens += 1
            why = (
                f"the last hour cost {usd(seen.hour):.2f} USD, "
                f"an hour usually costs {usd(seen.baseline):.2f}"
            )
            return status.move("open", now, why)
        if seen.baseline is not None and seen.hour > policy.recover_below * seen.baseline:
            return None
        status.opens = 0
        return status.move("closed", now, f"the last hour cost {usd(seen.hour):.2f} USD")

    def trip(self, now: float, *, who: str | None, why: str) -> Change:
        """Pauses new conversations until somebody resets it."""
        return self.status.trip(now, who=who, why=why)

    def reset(self, now: float, *, who: str | None, why: str) -> Change:
        """Takes new conversations, and judges again in an hour."""
        change = self.status.reset(now, who=who, why=why)
        self.status.until = now + HOUR
        return change

    def disable(self, now: float, *, who: str | None, why: str) -> Change:
        """Takes new conversations, whatever they cost."""
        return self.status.disable(now, who=who, why=why)

    def enable(self, now: float, *, who: str | None, why: str) -> Change:
        """Judges again, at once."""
        return self.status.enable(now, who=who, why=why)

    def _median(self, now: float, start: float) -> int | None:
        self._costs.total(now)
        until = [
            self._costs.since(start - number * HOUR) for number in range(self.policy.hours + 1)
        ]
        earlier = [more - less for less, more in pairwise(until)]
        spent = [nano for nano in earlier if nano]
        return int(median(spent)) if len(spent) >= self.policy.min_hours else None
