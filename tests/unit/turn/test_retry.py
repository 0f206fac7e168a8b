from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.settings import ProviderRetry
from interlock.turn.ports import ModelFailure
from interlock.turn.retry import retry_delay

PASSING = ("overloaded", "rate_limit", "server", "timeout", "connection", "malformed")

seconds = st.floats(min_value=0, max_value=10_000, allow_nan=False)
demands = st.none() | seconds
randoms = st.floats(min_value=0, max_value=1, exclude_max=True)
durations = st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(minutes=5))
retries = st.builds(
    ProviderRetry,
    attempts=st.integers(min_value=1, max_value=10),
    delay=durations,
    max_delay=durations,
)


def failure(kind: str = "overloaded", retry_after: float | None = None) -> ModelFailure:
    return ModelFailure(
        kind=kind,
        message="m",
        status=529,
        retry_after_seconds=retry_after,
        maybe_billed=False,
        request_id=None,
        latency_ms=1.0,
    )


def delay(
    kind: str = "overloaded",
    *,
    retry_after: float | None = None,
    attempt: int = 1,
    retry: ProviderRetry | None = None,
    random: float = 0.0,
    remaining: float = 60.0,
) -> float | None:
    return retry_delay(
        failure(kind, retry_after),
        attempt=attempt,
        retry=retry or ProviderRetry(),
        random=random,
        remaining_seconds=remaining,
    )


@pytest.mark.parametrize("kind", PASSING)
def test_tries_a_passing_failure_again(kind: str) -> None:
    assert delay(kind) == 0.25


def test_gives_up_on_a_rejected_request() -> None:
    assert delay("rejected") is None


def test_gives_up_after_the_last_attempt() -> None:
    retry = ProviderRetry(attempts=3)
    assert delay(attempt=2, retry=retry) is not None
    assert delay(attempt=3, retry=retry) is None


def test_doubles_up_to_the_longest_delay() -> None:
    retry = ProviderRetry(attempts=10, max_delay=timedelta(seconds=3))
    found = [delay(attempt=attempt, retry=retry) for attempt in range(1, 6)]
    assert found == [0.25, 0.5, 1.0, 1.5, 1.5]


def test_jitter_is_half_of_the_wait() -> None:
    assert delay(random=0.5) == 0.375
    assert delay(random=0.999_999) == pytest.approx(0.5, abs=0.001)


def test_waits_as_long_as_the_server_asks_even_beyond_the_longest_delay() -> None:
    assert delay(retry_after=20.0) == 20.0


def test_waits_its_own_time_when_the_server_asks_for_less() -> None:
    assert delay(retry_after=0.01) == 0.25


def test_gives_up_when_the_server_asks_for_more_than_is_left() -> None:
    assert delay(retry_after=59.0) == 59.0
    assert delay(retry_after=59.1) is None


def test_cuts_its_own_wait_short_to_leave_a_second() -> None:
    assert delay(remaining=1.1) == pytest.approx(0.1)


def test_gives_up_with_less_than_a_second_left() -> None:
    assert delay(remaining=0.9) is None
    assert delay(remaining=-3.0) is None


@given(
    kind=st.sampled_from(PASSING),
    retry_after=demands,
    attempt=st.integers(min_value=1, max_value=12),
    retry=retries,
    random=randoms,
    remaining=st.floats(min_value=-10, max_value=10_000, allow_nan=False),
)
def test_every_wait_keeps_all_promises(
    kind: str,
    retry_after: float | None,
    attempt: int,
    retry: ProviderRetry,
    random: float,
    remaining: float,
) -> None:
    found = delay(
        kind,
        retry_after=retry_after,
        attempt=attempt,
        retry=retry,
        random=random,
        remaining=remaining,
    )
    demanded = retry_after or 0.0
    if found is None:
        assert attempt >= retry.attempts or remaining - 1 < demanded or remaining < 1
        return
    assert attempt < retry.attempts
    assert found >= 0
    assert found >= demanded
    assert found <= remaining - 1
    assert found <= max(retry.max_delay.total_seconds(), demanded)


@given(retry=retries, random=randoms, remaining=seconds, retry_after=demands)
def test_never_tries_a_rejected_request_again(
    retry: ProviderRetry, random: float, remaining: float, retry_after: float | None
) -> None:
    found = delay(
        "rejected", retry=retry, random=random, remaining=remaining, retry_after=retry_after
    )
    assert found is None


@given(retry=retries, random=randoms, attempt=st.integers(min_value=1, max_value=8))
def test_a_later_attempt_never_waits_less(
    retry: ProviderRetry, random: float, attempt: int
) -> None:
    earlier = delay(attempt=attempt, retry=retry, random=random, remaining=10_000)
    later = delay(attempt=attempt + 1, retry=retry, random=random, remaining=10_000)
    if earlier is not None and later is not None:
        assert later >= earlier
