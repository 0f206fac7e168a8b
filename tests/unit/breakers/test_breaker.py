from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.breakers.breaker import Breaker, Policy
from interlock.breakers.status import Status

POLICY = Policy(
    error_rate=0.5, min_calls=4, window=60.0, open_for=30.0, max_open_for=100.0, probes=1
)
NOW = 1_000_000.0


def call(breaker: Breaker, now: float, *, ok: bool) -> str | None:
    admission = breaker.admit(now)
    assert admission.allowed
    change = breaker.record(admission, now, ok=ok)
    return None if change is None else change.state


def opened(policy: Policy = POLICY) -> Breaker:
    breaker = Breaker(policy)
    for _ in range(policy.min_calls):
        call(breaker, NOW, ok=False)
    assert breaker.status.state == "open"
    return breaker


def test_it_opens_once_enough_calls_have_failed() -> None:
    breaker = Breaker(POLICY)
    changes = [call(breaker, NOW, ok=ok) for ok in (False, False, True, False)]
    assert changes == [None, None, None, "open"]
    assert breaker.status.why == "3 of 4 calls failed"
    assert breaker.status.until == NOW + 30
    refused = breaker.admit(NOW + 29.9)
    assert (refused.allowed, refused.retry_at) == (False, NOW + 30)


def test_few_failures_among_many_calls_do_not_matter() -> None:
    breaker = Breaker(POLICY)
    for number in range(100):
        assert call(breaker, NOW, ok=number % 3 != 2) is None


def test_failures_that_are_past_do_not_matter() -> None:
    breaker = Breaker(POLICY)
    for second in range(20):
        assert call(breaker, NOW + second * 30, ok=False) is None


def test_one_probe_decides() -> None:
    breaker = opened()
    probe = breaker.admit(NOW + 30)
    assert probe.allowed
    assert probe.probe
    assert probe.change is not None
    assert probe.change.state == "half_open"
    assert not breaker.admit(NOW + 30).allowed
    change = breaker.record(probe, NOW + 31, ok=True)
    assert change is not None
    assert change.state == "closed"
    # What was before does not count any more.
    assert call(breaker, NOW + 32, ok=False) is None


def test_it_stays_open_longer_each_time_up_to_the_longest() -> None:
    breaker, now, lengths = opened(), NOW, []
    for _ in range(5):
        assert breaker.status.until is not None
        lengths.append(breaker.status.until - now)
        now = breaker.status.until
        assert call(breaker, now, ok=False) == "open"
    assert lengths == [30, 60, 100, 100, 100]


@pytest.mark.parametrize(("closed_for", "length"), [(10.0, 60.0), (60.0, 30.0)])
def test_it_forgets_how_often_it_was_open_after_a_whole_window(
    closed_for: float, length: float
) -> None:
    breaker = opened()
    assert call(breaker, NOW + 30, ok=True) == "closed"
    later = NOW + 30 + closed_for
    for _ in range(4):
        call(breaker, later, ok=False)
    assert breaker.status.until == later + length


def test_several_probes_must_all_succeed() -> None:
    breaker = opened(Policy(0.5, 4, 60.0, 30.0, 100.0, probes=2))
    first, second = breaker.admit(NOW + 30), breaker.admit(NOW + 30)
    assert first.probe
    assert second.probe
    assert not breaker.admit(NOW + 30).allowed
    assert breaker.record(first, NOW + 31, ok=True) is None
    assert not breaker.admit(NOW + 31).allowed
    change = breaker.record(second, NOW + 32, ok=True)
    assert change is not None
    assert change.state == "closed"


def test_a_probe_that_is_broken_off_leaves_room_for_another() -> None:
    breaker = opened()
    breaker.abandon(breaker.admit(NOW + 30))
    assert breaker.admit(NOW + 31).probe


def test_calls_from_before_decide_nothing_while_it_is_half_open() -> None:
    breaker = Breaker(POLICY)
    late = breaker.admit(NOW)
    for _ in range(4):
        call(breaker, NOW, ok=False)
    breaker.admit(NOW + 30)
    assert breaker.record(late, NOW + 30, ok=True) is None
    assert breaker.status.state == "half_open"


def test_who_asks_to_wait_is_left_alone_at_once_but_not_for_ever() -> None:
    breaker = Breaker(POLICY)
    change = breaker.record(breaker.admit(NOW), NOW, ok=False, wait=7)
    assert change is not None
    assert (change.state, breaker.status.until) == ("open", NOW + 7)
    late = Breaker(POLICY)
    first, second = late.admit(NOW), late.admit(NOW)
    late.record(first, NOW, ok=False, wait=9999)
    assert late.status.until == NOW + 100
    # The longer wait counts.
    assert late.record(second, NOW + 1, ok=False, wait=2) is None
    assert late.status.until == NOW + 100


def test_an_operator_has_the_last_word() -> None:
    breaker = Breaker(POLICY)
    breaker.trip(NOW, who="ops", why="it lies")
    assert breaker.admit(NOW + 1e6).retry_at is None
    assert not breaker.admit(NOW + 1e6).allowed
    breaker.reset(NOW, who="ops", why="fixed")
    assert breaker.admit(NOW).allowed
    breaker.disable(NOW, who="ops", why="known")
    for _ in range(20):
        assert call(breaker, NOW, ok=False) is None
    breaker.enable(NOW, who="ops", why="back")
    assert [call(breaker, NOW, ok=False) for _ in range(4)] == [None, None, None, "open"]


def test_a_status_outlives_the_process_but_not_its_probe() -> None:
    breaker = opened()
    assert Status.from_json(breaker.status.to_json()) == breaker.status
    breaker.admit(NOW + 30)
    after = Breaker(POLICY, Status.from_json(breaker.status.to_json()))
    assert after.admit(NOW + 30).probe


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 50)), max_size=80))
def test_it_never_stops_for_good_and_never_lets_more_than_the_probes_pass(
    calls: list[tuple[bool, float]],
) -> None:
    breaker, now = Breaker(POLICY), NOW
    for ok, wait in calls:
        now += wait
        admission = breaker.admit(now)
        if breaker.status.state == "half_open":
            assert not breaker.admit(now).allowed
        if admission.allowed:
            breaker.record(admission, now, ok=ok)
        else:
            assert breaker.status.until is not None
            assert breaker.status.until <= now + POLICY.max_open_for
    assert breaker.admit(now + POLICY.max_open_for).allowed
