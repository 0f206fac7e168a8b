"""Whatever comes when, no stretch of time has more than the limit, and no room is wasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.service.sliding_window import admit

SECONDS = 8.0
# Quarters of seconds, which floats hold exactly.
gaps = st.lists(st.integers(0, 40).map(lambda quarters: quarters / 4), max_size=60)


def run(arrivals: list[float], limit: int) -> list[float]:
    now, times, admitted = 0.0, (), []
    for gap in arrivals:
        now += gap
        admission = admit(times, now=now, limit=limit, seconds=SECONDS)
        times = admission.times
        assert len(times) <= limit
        if admission.wait == 0:
            admitted.append(now)
        else:
            # It says exactly when: not a moment before, and then surely.
            assert 0 < admission.wait <= SECONDS
            then = now + admission.wait
            assert admit(times, now=then, limit=limit, seconds=SECONDS).wait == 0
            assert admit(times, now=then - 0.125, limit=limit, seconds=SECONDS).wait > 0
            earlier = [time for time in admitted if time > now - SECONDS]
            assert len(earlier) == limit, "refused although there was room"
    return admitted


@given(gaps, st.integers(1, 6))
def test_no_stretch_has_more_than_the_limit(arrivals: list[float], limit: int) -> None:
    admitted = run(arrivals, limit)
    for first, last in zip(admitted, admitted[limit:], strict=False):
        assert last - first >= SECONDS


@given(gaps, st.sampled_from([1, 2, 4]))
def test_whoever_keeps_to_the_limit_is_never_refused(arrivals: list[float], limit: int) -> None:
    kept = [max(gap, SECONDS / limit) for gap in arrivals]
    assert len(run(kept, limit)) == len(kept)


@pytest.mark.parametrize(("limit", "taken"), [(1, 1), (3, 3)])
def test_what_is_refused_does_not_count(limit: int, taken: int) -> None:
    assert len(run([0.0] * 50, limit)) == taken
    assert run([0.0] * 50 + [SECONDS], limit)[-1] == SECONDS


def test_a_lowered_limit_holds_for_what_was_taken_before() -> None:
    admission = admit((0.0, 1.0, 2.0), now=3.0, limit=2, seconds=SECONDS)
    assert admission.wait == 6.0
