from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from interlock.model.turn import Spent
from interlock.model.usage import Price, PriceRow, Usage
from interlock.turn.budget import (
    Budget,
    Reservation,
    Shortage,
    affordable,
    estimate_tokens,
)

PRICE = Price(((0, PriceRow(2000, 10_000, 100, 2500, 4000)),), "test")


def budget(**changes: Any) -> Budget:
    settings: dict[str, Any] = {
        "max_tokens": 10_000,
        "max_cost_nano": 1_000_000,
        "reserve_tokens": 1000,
        "reserve_cost_nano": 100_000,
        "spent": Spent(),
    }
    return Budget(**{**settings, **changes})


def test_a_reservation_holds_until_it_is_settled() -> None:
    pot = budget()
    held = pot.reserve(4000, 300_000)
    assert held == Reservation(4000, 300_000)
    assert (pot.tokens_left, pot.cost_left) == (6000, 700_000)
    pot.settle(held, 1500, 100_000)
    assert (pot.tokens_left, pot.cost_left) == (8500, 900_000)


@pytest.mark.parametrize(
    ("tokens", "cost", "final", "expected"),
    [
        (9000, 900_000, False, Reservation(9000, 900_000)),
        (9001, 0, False, Shortage("tokens", 9001, 9000)),
        (0, 900_001, False, Shortage("cost", 900_001, 900_000)),
        (9001, 900_001, False, Shortage("tokens", 9001, 9000)),
        (10_000, 1_000_000, True, Reservation(10_000, 1_000_000)),
        (10_001, 0, True, Shortage("tokens", 10_001, 10_000)),
        (0, 1_000_001, True, Shortage("cost", 1_000_001, 1_000_000)),
        (0, 0, False, Reservation(0, 0)),
    ],
)
def test_only_the_final_call_may_use_the_reserve(
    tokens: int, cost: int, final: bool, expected: Reservation | Shortage
) -> None:
    assert budget().reserve(tokens, cost, final=final) == expected


def test_a_refused_reservation_holds_nothing() -> None:
    pot = budget()
    assert isinstance(pot.reserve(20_000, 0), Shortage)
    assert isinstance(pot.reserve(10, 10_000_000), Shortage)
    assert (pot.tokens_left, pot.cost_left) == (10_000, 1_000_000)


def test_without_a_cost_limit_only_tokens_count() -> None:
    pot = budget(max_cost_nano=None)
    assert pot.cost_left is None
    assert isinstance(pot.reserve(100, 10**15), Reservation)


def test_nothing_is_left_of_what_was_overdrawn_before() -> None:
    pot = budget(spent=Spent(tokens=12_000, cost_nano=2_000_000))
    assert (pot.tokens_left, pot.cost_left) == (0, 0)
    assert pot.reserve(1, 0, final=True) == Shortage("tokens", 1, 0)


@pytest.mark.parametrize(
    ("spent", "changes", "share"),
    [
        (Spent(), {}, 0.0),
        (Spent(tokens=5000), {}, 0.5),
        (Spent(tokens=5000, cost_nano=800_000), {}, 0.8),
        (Spent(tokens=9000, cost_nano=800_000), {}, 0.9),
        (Spent(tokens=5000, cost_nano=800_000), {"max_cost_nano": None}, 0.5),
        (Spent(tokens=20_000), {}, 2.0),
        (Spent(tokens=100), {"max_cost_nano": 0}, 0.01),
    ],
)
def test_the_share_used_is_that_of_the_tighter_limit(
    spent: Spent, changes: dict[str, Any], share: float
) -> None:
    assert budget(spent=spent, **changes).share_used == pytest.approx(share)


counts = st.integers(min_value=0, max_value=3000)


@given(
    st.lists(
        st.tuples(
            counts, counts, st.booleans(), st.floats(0, 1), st.integers(min_value=0, max_value=3)
        ),
        max_size=60,
    ),
    st.integers(min_value=0, max_value=12_000),
)
def test_spent_and_held_never_pass_the_limit_however_calls_interleave(
    calls: list[tuple[int, int, bool, float, int]], spent: int
) -> None:
    pot = budget(max_cost_nano=10_000, reserve_cost_nano=500, spent=Spent(tokens=spent))
    assume(spent <= pot.max_tokens)
    open_calls: list[tuple[Reservation, float]] = []
    tokens, cost = spent, 0

    def settle_oldest() -> None:
        nonlocal tokens, cost
        held, share = open_calls.pop(0)
        used = int(held.tokens * share), int(held.cost_nano * share)
        pot.settle(held, *used)
        tokens, cost = tokens + used[0], cost + used[1]

    for needed, price, final, share, settled in calls:
        held = pot.reserve(needed, price, final=final)
        if isinstance(held, Reservation):
            open_calls.append((held, share))
        assert tokens + sum(h.tokens for h, _ in open_calls) <= pot.max_tokens
        assert cost + sum(h.cost_nano for h, _ in open_calls) <= 10_000
        for _ in range(min(settled, len(open_calls))):
            settle_oldest()
        assert pot.tokens_left == pot.max_tokens - tokens - sum(h.tokens for h, _ in open_calls)
    while open_calls:
        settle_oldest()
    assert pot.tokens_left == pot.max_tokens - tokens
    assert pot.cost_left == 10_000 - cost


@pytest.mark.parametrize(
    ("size", "known", "tokens"),
    [
        (0, None, 0),
        (1, None, 1),
        (3000, None, 1000),
        (3001, None, 1001),
        (3000, (3000, 700), 700),
        (3300, (3000, 700), 800),
        (3001, (3000, 700), 701),
        # Shorter: by its share of what is known, or by its size, and never more than is known.
        (1500, (3000, 700), 500),
        (1500, (3000, 1800), 900),
        (2999, (3000, 700), 700),
        (0, (3000, 700), 0),
    ],
)
def test_tokens_are_estimated_from_what_is_known(
    size: int, known: tuple[int, int] | None, tokens: int
) -> None:
    assert estimate_tokens(size, known) == tokens


sizes = st.integers(min_value=1, max_value=10**7)


@given(sizes, sizes, st.floats(min_value=0.01, max_value=1 / 3))
def test_an_estimate_is_never_too_low_for_text_of_an_even_density(
    before: int, now: int, density: float
) -> None:
    known = (before, int(before * density) + 1)
    assert estimate_tokens(now, known) >= int(now * density)


@given(sizes, sizes)
def test_a_longer_request_is_never_estimated_lower(first: int, second: int) -> None:
    small, large = sorted((first, second))
    for known in (None, (5000, 1000), (5000, 3000)):
        assert estimate_tokens(small, known) <= estimate_tokens(large, known)


@given(
    st.integers(min_value=0, max_value=200_000),
    st.none() | st.integers(min_value=0, max_value=10**9),
)
def test_what_is_affordable_fits_into_what_is_left(tokens_left: int, cost_left: int | None) -> None:
    room = affordable(tokens_left, cost_left, PRICE)
    prompt = estimate_tokens(room.prompt_bytes)
    assert prompt + room.output_tokens <= tokens_left
    if cost_left is not None:
        assert PRICE.worst(prompt, room.output_tokens) <= cost_left
        assert PRICE.cost(Usage(input=prompt, output=room.output_tokens)) <= cost_left


def test_an_unknown_or_free_price_leaves_only_the_tokens_to_count() -> None:
    free = Price(((0, PriceRow(0, 0, 0, 0, 0)),), "test")
    assert affordable(1000, 10, None) == affordable(1000, None, PRICE) == affordable(1000, 0, free)
