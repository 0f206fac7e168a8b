"""Whether, and when, a failed model call is tried again."""

from __future__ import annotations

from interlock.model.settings import ProviderRetry
from interlock.turn.ports import ModelFailure

__all__ = ["retry_delay"]

_LEAST_SECONDS = 1.0
"""A call with less time than this is not worth starting."""


def retry_delay(
    failure: ModelFailure,
    *,
    attempt: int,
    retry: ProviderRetry,
    random: float,
    remaining_seconds: float,
) -> float | None:
    """How many seconds to wait before the next call; None gives up.

    `attempt` counts the calls made so far, `random` is in [0, 1), `remaining_seconds` is what is
    left of the turn. Gives up on a rejected request, when the attempts are used up, and when less
    than a second would be left for the next call.

    The wait doubles with each attempt up to `maxDelay`, half of it being jitter. The server's
    Retry-After makes it longer, beyond `maxDelay` if need be, for an earlier call would only be
    turned away again; it is never made shorter than the server asked. Our own wait is cut short
    where that leaves a second for the call.
    """
    if failure.kind == "rejected" or attempt >= retry.attempts:
        return None
    demanded = failure.retry_after_seconds or 0.0
    longest = remaining_seconds - _LEAST_SECONDS
    if longest < demanded or longest < 0:
        return None
    doubled = retry.delay.total_seconds() * 2.0 ** (attempt - 1)
    backoff = min(doubled, retry.max_delay.total_seconds()) * (0.5 + random / 2)
    return min(max(backoff, demanded), longest)
