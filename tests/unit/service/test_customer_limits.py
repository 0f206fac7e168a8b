"""One customer's share: refused beyond it, theirs alone, bounded in memory."""

from __future__ import annotations

import pytest

from interlock.model.identity import Customers
from interlock.service.customer_limits import CustomerLimits
from interlock.service.problems import ApiError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_messages_beyond_the_limit_are_refused_until_the_oldest_is_past() -> None:
    clock = Clock()
    limits, declared = CustomerLimits(clock=clock), Customers(messages_per_minute=2)
    for _ in range(2):
        limits.begin_turn("a", declared)()
    clock.now += 10
    with pytest.raises(ApiError) as refused:
        limits.begin_turn("a", declared)
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "50"})
    assert "customers.messagesPerMinute" in refused.value.detail
    limits.begin_turn("b", declared)
    clock.now += 50
    limits.begin_turn("a", declared)


def test_open_turns_are_counted_until_they_end_and_refusals_count_as_nothing() -> None:
    limits, declared = CustomerLimits(), Customers(open_turns=1, messages_per_minute=2)
    end = limits.begin_turn("a", declared)
    for _ in range(5):
        with pytest.raises(ApiError):
            limits.begin_turn("a", declared)
    end()
    limits.begin_turn("a", declared)


def test_a_limit_that_comes_later_knows_the_turns_that_run() -> None:
    limits = CustomerLimits()
    end = limits.begin_turn("a", Customers())
    with pytest.raises(ApiError):
        limits.begin_turn("a", Customers(open_turns=1))
    end()
    limits.begin_turn("a", Customers(open_turns=1))


def test_conversations_have_a_limit_of_their_own() -> None:
    clock = Clock()
    limits, declared = CustomerLimits(clock=clock), Customers(conversations_per_hour=1)
    limits.open_conversation("a", declared)
    with pytest.raises(ApiError) as refused:
        limits.open_conversation("a", declared)
    assert refused.value.headers == {"retry-after": "3600"}
    limits.begin_turn("a", declared)
    clock.now += 3600
    limits.open_conversation("a", declared)


def test_memory_is_bounded_and_open_turns_are_never_forgotten() -> None:
    limits = CustomerLimits(most=10)
    end = limits.begin_turn("open", Customers())
    for number in range(100):
        limits.begin_turn(f"c{number}", Customers())()
        assert len(limits) <= 10
    with pytest.raises(ApiError):
        limits.begin_turn("open", Customers(open_turns=1))
    end()
