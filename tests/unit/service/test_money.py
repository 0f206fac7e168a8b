from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.service.money import known_cost, usd_text


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (1_234_000, "0.001234"),
        (500_000_000, "0.5"),
        (1_000_000_000, "1"),
        (120_000_000_000, "120"),
        (10**20, "100000000000"),
    ],
)
def test_nano_dollars_read_as_dollars(nano: int, text: str) -> None:
    assert usd_text(nano) == text


@given(st.integers(min_value=0, max_value=10**24))
def test_no_nano_dollar_is_lost_and_no_exponent_appears(nano: int) -> None:
    text = usd_text(nano)
    assert "E" not in text
    assert Decimal(text) * 10**9 == nano


def test_unpriced_calls_are_unknown_and_never_zero() -> None:
    assert known_cost(0, 2) is None
    assert known_cost(0, 0) == "0"
    assert known_cost(5_000_000, 1) == "0.005"
