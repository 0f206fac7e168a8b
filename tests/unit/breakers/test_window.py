from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interlock.breakers.window import OutcomeWindow, SumWindow

steps = st.lists(st.tuples(st.floats(0, 400), st.integers(0, 1000)), max_size=40)


@given(steps)
def test_a_sum_is_never_less_than_what_the_window_holds_and_forgets_in_the_end(
    added: list[tuple[float, int]],
) -> None:
    window, now, kept = SumWindow(3600, 60), 1_000_000.0, []
    for wait, amount in added:
        now += wait
        window.add(now, amount)
        kept.append((now, amount))
        exact = sum(amount for at, amount in kept if at > now - 3600)
        generous = sum(amount for at, amount in kept if at > now - 3660)
        assert exact <= window.total(now) <= generous
    assert window.total(now + 3661) == 0


@given(steps, st.integers(0, 5000))
def test_it_says_when_there_is_room(added: list[tuple[float, int]], most: int) -> None:
    window, now = SumWindow(3600, 60), 1_000_000.0
    for wait, amount in added:
        now += wait
        window.add(now, amount)
    free_at = window.falls_to(now, most)
    if free_at > now:
        assert window.total(now) > most
    assert window.total(free_at) <= most


def test_outcomes_of_the_window_are_counted() -> None:
    window = OutcomeWindow(60)
    for second in range(10):
        window.add(1000.0 + second, ok=second % 2 == 0)
    seen = window.outcomes(1010.0)
    assert (seen.calls, seen.failures, seen.error_rate) == (10, 5, 0.5)
    assert window.outcomes(1100.0).calls == 0
    assert window.outcomes(1100.0).error_rate == 0.0
