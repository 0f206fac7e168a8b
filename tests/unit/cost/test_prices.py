from __future__ import annotations

from decimal import Decimal

import pytest
from genai_prices.data import providers
from genai_prices.types import TieredPrices
from hypothesis import given
from hypothesis import strategies as st

from interlock.cost.prices import price_of, shipped_price
from interlock.model.settings import PriceEntry
from interlock.model.usage import Price, PriceRow, Usage

# USD per million tokens: input, write for 5 minutes, write for an hour, read, output.
TABLE: dict[str, list[tuple[int, tuple[str, str, str, str, str]]]] = {
    "claude-fable-5-2": [(0, ("8", "10", "16", "0.20", "40"))],
    "claude-fable-5-1": [(0, ("10", "12.50", "20", "0.25", "50"))],
    "claude-fable-5": [(0, ("10", "12.50", "20", "1.00", "50"))],
    "claude-opus-5-5": [(0, ("4", "5", "8", "0.20", "20"))],
    "claude-opus-5": [(0, ("5", "6.25", "10", "0.50", "25"))],
    "claude-opus-4-8": [(0, ("5", "6.25", "10", "0.50", "25"))],
    "claude-opus-4-7": [(0, ("5", "6.25", "10", "0.50", "25"))],
    "claude-opus-4-6": [(0, ("5", "6.25", "10", "0.50", "25"))],
    "claude-opus-4-5": [(0, ("5", "6.25", "10", "0.50", "25"))],
    "claude-sonnet-5-5": [(0, ("2", "2.50", "4", "0.10", "10"))],
    "claude-sonnet-5": [(0, ("2", "2.50", "4", "0.20", "10"))],
    "claude-sonnet-4-6": [(0, ("3", "3.75", "6", "0.30", "15"))],
    "claude-sonnet-4-5": [(0, ("3", "3.75", "6", "0.30", "15"))],
    "claude-haiku-5-5": [
        (0, ("0.10", "0.125", "0.20", "0.01", "0.50")),
        (100_000, ("0.50", "0.625", "1.00", "0.05", "2.50")),
    ],
    "claude-haiku-4-5": [(0, ("1", "1.25", "2", "0.10", "5"))],
}

UNKNOWN = [
    "claude-nonexistent-9",
    "my-model",
    "",
    "claude",
    "claude-haiku-4",
    "claude-haiku-4-20250514",
    "claude-haiku-4-50",
    "claude-haiku-4-5-turbo",
    "claude-haiku-4-5-20251001-turbo",
    "my-claude-haiku-4-5",
    "claude-2-made-up",
    "gpt-5",
]


def exact(usd_per_million: str | Decimal) -> int:
    scaled = Decimal(usd_per_million) * 10**6
    assert scaled == int(scaled)
    return int(scaled)


def expected(model: str) -> tuple[tuple[int, PriceRow], ...]:
    rows = []
    for start, (input_, write, write_1h, read, output) in TABLE[model]:
        row = PriceRow(
            input=exact(input_),
            output=exact(output),
            cache_read=exact(read),
            cache_write_5m=exact(write),
            cache_write_1h=exact(write_1h),
        )
        rows.append((start, row))
    return tuple(rows)


def known(model: str, overrides: dict[str, PriceEntry] | None = None) -> Price:
    price = price_of(model, overrides=overrides or {})
    assert price is not None
    return price


@pytest.mark.parametrize("model", sorted(TABLE.keys() - {"claude-sonnet-4-5"}))
def test_knows_the_published_prices_to_the_last_digit(model: str) -> None:
    price = known(model)
    assert price.rows == expected(model)
    assert price.source.startswith("genai-prices ")


def test_a_retired_tier_stays_above_the_context_that_is_left() -> None:
    price = known("claude-sonnet-4-5")
    assert price.rows[0] == expected("claude-sonnet-4-5")[0]
    assert [start for start, _ in price.rows] == [0, 200_000]


@pytest.mark.parametrize("model", sorted(TABLE))
def test_the_shipped_table_holds_the_published_prices(model: str) -> None:
    price = shipped_price(model)
    assert price is not None
    assert price.rows == expected(model)
    assert price.source.startswith("Interlock, 2026-11-22: ")


def test_a_dated_id_has_the_price_of_its_model() -> None:
    assert known("claude-haiku-4-5-20251001").rows == known("claude-haiku-4-5").rows
    assert known("claude-opus-4-5-20251101").rows == known("claude-opus-4-5").rows
    assert shipped_price("claude-haiku-4-5-20251001") == shipped_price("claude-haiku-4-5")


@pytest.mark.parametrize("model", UNKNOWN)
def test_an_unknown_model_has_no_price(model: str) -> None:
    assert price_of(model, overrides={}) is None
    assert shipped_price(model) is None


@given(st.sampled_from(sorted(TABLE)), st.text(min_size=1, max_size=12))
def test_no_other_id_takes_the_price_of_a_model_it_begins_with(model: str, rest: str) -> None:
    price = price_of(f"{model}_{rest}", overrides={})
    assert price is None


@pytest.mark.parametrize("kind", ["openai", "nobody", "anthropi"])
def test_a_model_of_another_provider_has_no_price_of_ours(kind: str) -> None:
    assert price_of("claude-haiku-5-5", provider_kind=kind, overrides={}) is None


def test_the_long_row_holds_for_the_whole_request() -> None:
    price = known("claude-haiku-5-5")
    assert price.cost(Usage(input=100_000)) == 100_000 * 100
    assert price.cost(Usage(input=100_001)) == 100_001 * 500
    assert price.cost(Usage(input=1, cache_read=100_000, output=10)) == 500 + 5_000_000 + 25_000


def test_the_own_price_comes_first() -> None:
    entry = PriceEntry(
        input=Decimal("1.5"),
        output=Decimal(6),
        cache_read=Decimal("0.15"),
        cache_write=Decimal("1.875"),
        cache_write_1h=Decimal(3),
    )
    price = known("claude-haiku-5-5", {"claude-haiku-5-5": entry})
    assert price == Price(
        rows=((0, PriceRow(1_500_000, 6_000_000, 150_000, 1_875_000, 3_000_000)),),
        source="interlock.yaml",
    )
    assert known("my-model", {"my-model": entry}).rows == price.rows


def test_an_own_price_holds_for_dated_ids_unless_they_have_their_own() -> None:
    general = PriceEntry(input=Decimal(1), output=Decimal(2))
    dated = PriceEntry(input=Decimal(3), output=Decimal(4))
    overrides = {"claude-haiku-4-5": general}
    assert known("claude-haiku-4-5-20251001", overrides).rows[0][1].input == 1_000_000
    overrides["claude-haiku-4-5-20251001"] = dated
    assert known("claude-haiku-4-5-20251001", overrides).rows[0][1].input == 3_000_000
    assert known("claude-haiku-4-5", overrides).rows[0][1].input == 1_000_000


def test_prices_left_out_are_those_of_input_and_of_the_short_write() -> None:
    plain = PriceEntry(input=Decimal(2), output=Decimal(9))
    assert known("m", {"m": plain}).rows[0][1] == PriceRow(
        input=2_000_000,
        output=9_000_000,
        cache_read=2_000_000,
        cache_write_5m=2_000_000,
        cache_write_1h=2_000_000,
    )
    written = PriceEntry(input=Decimal(2), output=Decimal(9), cache_write=Decimal(3))
    assert known("m", {"m": written}).rows[0][1].cache_write_1h == 3_000_000


def test_a_price_of_nothing_is_a_price() -> None:
    free = PriceEntry(input=Decimal(0), output=Decimal(0))
    assert known("local", {"local": free}).cost(Usage(input=10, output=10)) == 0


def test_a_price_finer_than_we_count_is_rounded_up() -> None:
    fine = PriceEntry(input=Decimal("0.0000001"), output=Decimal("1.0000001"))
    row = known("m", {"m": fine}).rows[0][1]
    assert (row.input, row.output) == (1, 1_000_001)


def test_every_price_that_the_library_knows_is_exact() -> None:
    (anthropic,) = (provider for provider in providers if provider.id == "anthropic")
    checked = 0
    for model in anthropic.models:
        price = price_of(model.id, overrides={})
        assert price is not None, model.id
        assert price.rows[0][0] == 0
        assert [start for start, _ in price.rows] == sorted({start for start, _ in price.rows})
        conditions = model.prices if isinstance(model.prices, list) else None
        published = conditions[-1].prices if conditions else model.prices
        input_ = published.input_mtok
        base = input_.base if isinstance(input_, TieredPrices) else input_
        assert price.rows[0][1].input == exact(base)
        for tier in input_.tiers if isinstance(input_, TieredPrices) else ():
            assert dict(price.rows)[tier.start].input == exact(tier.price)
            checked += 1
    assert checked > 0


def test_a_price_is_looked_up_once() -> None:
    assert price_of("claude-opus-5-5", overrides={}) is price_of("claude-opus-5-5", overrides={})
