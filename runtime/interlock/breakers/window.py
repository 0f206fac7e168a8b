"""Sliding windows: what happened in the last minutes or hours, counted in buckets.

Times are seconds since the epoch. A bucket counts until all of it is older than the window, so a
window never forgets too early.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["OutcomeWindow", "Outcomes", "SumWindow"]

_BUCKETS = 10


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many calls there were in a window, and how many of them failed."""

    calls: int
    failures: int

    @property
    def error_rate(self) -> float:
        """The share that failed, 0 without calls."""
        return self.failures / self.calls if self.calls else 0.0


class SumWindow:
    """The sum of amounts in the last `span` seconds, in buckets of `width` seconds."""

    def __init__(self, span: float, width: float) -> None:
        self.span = span
        self._width = width
        self._buckets: deque[list[int]] = deque()  # [number of the bucket, sum], oldest first
        self._total = 0

    def add(self, now: float, amount: int) -> None:
        """Counts an amount at a time; one before the newest bucket is counted in that one."""
        number = int(now // self._width)
        if self._buckets and number <= self._buckets[-1][0]:
            self._buckets[-1][1] += amount
        else:
            self._buckets.append([number, amount])
        self._total += amount

    def total(self, now: float) -> int:
        """The sum of what is not too old."""
        while self._buckets and self._end(self._buckets[0][0]) <= now:
            self._total -= self._buckets.popleft()[1]
        return self._total

    def falls_to(self, now: float, most: int) -> float:
        """When the sum will be at most this, if nothing is added; now if it is already."""
        left = self.total(now)
        for number, amount in self._buckets:
            if left <= most:
                break
            left -= amount
            now = self._end(number)
        return now

    def since(self, start: float) -> int:
        """The sum of the buckets that begin at this time or later."""
        total = 0
        for number, amount in reversed(self._buckets):
            if number * self._width < start:
                break
            total += amount
        return total

    def _end(self, number: int) -> float:
        return (number + 1) * self._width + self.span


class OutcomeWindow:
    """How calls of the last `span` seconds came out."""

    def __init__(self, span: float) -> None:
        self._calls = SumWindow(span, span / _BUCKETS)
        self._failures = SumWindow(span, span / _BUCKETS)

    def add(self, now: float, *, ok: bool) -> None:
        """Counts a call."""
        self._calls.add(now, 1)
        if not ok:
            self._failures.add(now, 1)

    def outcomes(self, now: float) -> Outcomes:
        """What there is to judge by."""
        return Outcomes(self._calls.total(now), self._failures.total(now))
