from __future__ import annotations

import pytest

from interlock import memo
from interlock.memo import forget_unused, remembered, remembered_for


class Square:
    """A function that knows how often it was called."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, number: int) -> int:
        self.calls.append(number)
        if number < 0:
            raise ValueError(number)
        return number * number


@pytest.fixture
def square() -> Square:
    return Square()


def wrap(square: Square):
    def call(number: int) -> int:
        return square(number)

    return remembered(call)


def test_the_same_arguments_are_computed_once(square: Square) -> None:
    ask = wrap(square)
    assert [ask(2), ask(2), ask(3), ask(2)] == [4, 4, 9, 4]
    assert square.calls == [2, 3]


def test_what_is_asked_for_again_outlives_any_number_of_ages(square: Square) -> None:
    ask = wrap(square)
    for _ in range(5):
        assert ask(2) == 4
        forget_unused()
    assert square.calls == [2]


def test_what_nobody_asks_for_is_forgotten(square: Square) -> None:
    ask = wrap(square)
    ask(2)
    forget_unused()
    forget_unused()
    ask(2)
    assert square.calls == [2, 2]


def test_a_failure_is_not_remembered(square: Square) -> None:
    ask = wrap(square)
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            ask(-1)
    assert square.calls == [-1, -1]


def test_the_memory_is_bounded_if_nobody_ever_forgets(
    square: Square, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo, "_MOST", 10)
    ask = wrap(square)
    for number in range(100):
        ask(number)
    kept = square.calls.copy()
    for number in range(100):
        ask(number)
    assert len(square.calls) - len(kept) >= 80


def test_functions_do_not_share_results(square: Square) -> None:
    def negate(number: int) -> int:
        return -number

    ask, other = wrap(square), remembered(negate)
    assert (ask(2), other(2)) == (4, -2)


def test_an_object_is_known_by_being_the_same_one() -> None:
    calls = []

    def measure(things: list[int], factor: int) -> int:
        calls.append(factor)
        return factor * len(things)

    ask = remembered_for(measure)
    one, equal = [1, 2], [1, 2]
    assert [ask(one, 3), ask(one, 3), ask(one, 4), ask(equal, 3)] == [6, 6, 8, 6]
    assert calls == [3, 4, 3]


def test_an_object_that_is_gone_is_never_taken_for_another_one_at_its_place() -> None:
    ask = remembered_for(lambda things: len(things))
    assert [ask([0] * number) for number in range(50)] == list(range(50))
