"""When a failed read is sent again. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from interlock.model.tool import Retry

__all__ = ["parse_retry_after", "wait_seconds"]

_MOST_DIGITS = 9


def wait_seconds(
    retry: Retry, attempt: int, *, retry_after_seconds: float | None, random: float
) -> float:
    """How long to wait after attempt number `attempt`, which counts from 1.

    The declared delay doubles with each attempt, and `random` in [0, 1) takes up to a quarter
    off, so that callers do not come back together. A server's own wish is kept if it is longer.
    """
    delay = retry.delay.total_seconds() * 2.0 ** (attempt - 1) * (1 - random / 4)
    return max(delay, retry_after_seconds or 0.0)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` header asks for; None if it says nothing of use."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
