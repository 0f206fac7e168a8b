"""How many of something may happen in any stretch of time: the rule alone, without a clock."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Admission", "Times", "admit"]

Times = tuple[float, ...]
"""When what was admitted happened, oldest first, in seconds of some clock."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether one more may happen now."""

    times: Times
    """What to go by the next time: at most `limit` of them."""
    wait: float
    """0 if it may; or else the seconds until it may, if nothing else is admitted before."""


def admit(times: Times, *, now: float, limit: int, seconds: float) -> Admission:
    """Decides so that no stretch of `seconds` ever has more than `limit`.

    `times` must not lie after `now`. What is refused does not count.
    """
    recent = tuple(time for time in times if time > now - seconds)
    if len(recent) < limit:
        return Admission((*recent, now), 0.0)
    return Admission(recent, recent[-limit] + seconds - now)
