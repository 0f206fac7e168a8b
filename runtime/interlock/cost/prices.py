"""What a model costs: the project's own prices, then `genai-prices`, then the shipped table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files

from genai_prices.data import providers
from genai_prices.types import ModelPrice, TieredPrices

from interlock.model.base import JsonObject
from interlock.model.settings import PriceEntry
from interlock.model.usage import Price, PriceRow

__all__ = ["price_of", "shipped_price"]

_SCALE = 1_000_000
"""From USD per million tokens to nano-dollars per thousand."""

_SNAPSHOT_SUFFIX = re.compile(r"[-@](\d{8}|\d{4}-\d{2}-\d{2})$|-latest$")
"""What a model id may end in without being another model."""


def price_of(
    model: str, *, provider_kind: str = "anthropic", overrides: Mapping[str, PriceEntry]
) -> Price | None:
    """The price of the model with that provider's id, or None when nobody knows it.

    An id that ends in a date is looked up as it is, then without the date. Prices are those of
    today (UTC); nothing is asked of the network.
    """
    for name in (model, _undated(model)):
        if name in overrides:
            return Price(rows=((0, _overridden_row(overrides[name])),), source="interlock.yaml")
    return _known_price(model, provider_kind, datetime.now(UTC).date())


@lru_cache(maxsize=256)
def _known_price(model: str, provider_kind: str, day: date) -> Price | None:
    library = _library_price(model, provider_kind, day)
    if library is not None or provider_kind != "anthropic":
        return library
    return shipped_price(model)


def _library_price(model: str, provider_kind: str, day: date) -> Price | None:
    provider = next((known for known in providers if known.id == provider_kind), None)
    found = provider.find_model(model) if provider else None
    # The library matches by prefix, so that it knows models that do not exist.
    if found is None or _canonical(model) != _canonical(found.id):
        return None
    prices = found.get_prices(datetime.combine(day, time.min, UTC))
    source = f"genai-prices {version('genai-prices')}"
    rows = tuple(_library_rows(prices))
    return Price(rows=rows, source=source) if rows else None


def _library_rows(prices: ModelPrice) -> Iterator[tuple[int, PriceRow]]:
    fields = (
        prices.input_mtok,
        prices.output_mtok,
        prices.cache_read_mtok,
        prices.cache_write_mtok,
        prices.cache_write_1h_mtok,
    )
    starts = {tier.start for it in fields if isinstance(it, TieredPrices) for tier in it.tiers}
    for start in sorted({0} | starts):
        input_, output, read, write, write_1h = (_at(field, start) for field in fields)
        if input_ is not None and output is not None:
            yield start, _row(input_, output, read, write, write_1h)


def _at(price: Decimal | TieredPrices | None, start: int) -> Decimal | None:
    """The price of a request whose prompt is just larger than `start` tokens."""
    if not isinstance(price, TieredPrices):
        return price
    reached = [tier.price for tier in price.tiers if tier.start <= start]
    return reached[-1] if reached else price.base


def shipped_price(model: str) -> Price | None:
    """The price in the table that comes with Interlock, or None."""
    table = _shipped_table()
    entry = table["models"].get(model) or table["models"].get(_undated(model))
    if entry is None:
        return None
    rows = tuple((row["above"], _shipped_row(row)) for row in entry["rows"])
    return Price(rows=rows, source=f"Interlock, {table['date']}: {entry['source']}")


@cache
def _shipped_table() -> JsonObject:
    text = files("interlock.cost").joinpath("prices.json").read_text("utf-8")
    table: JsonObject = json.loads(text)
    return table


def _shipped_row(row: JsonObject) -> PriceRow:
    return _row(
        Decimal(row["input"]),
        Decimal(row["output"]),
        Decimal(row["cacheRead"]),
        Decimal(row["cacheWrite5m"]),
        Decimal(row["cacheWrite1h"]),
    )


def _overridden_row(entry: PriceEntry) -> PriceRow:
    return _row(
        entry.input, entry.output, entry.cache_read, entry.cache_write, entry.cache_write_1h
    )


def _row(
    input_: Decimal,
    output: Decimal,
    cache_read: Decimal | None,
    cache_write: Decimal | None,
    cache_write_1h: Decimal | None,
) -> PriceRow:
    """A row from prices in USD per million tokens; `PriceEntry` says what stands in for None."""
    write = input_ if cache_write is None else cache_write
    return PriceRow(
        input=_nano(input_),
        output=_nano(output),
        cache_read=_nano(input_ if cache_read is None else cache_read),
        cache_write_5m=_nano(write),
        cache_write_1h=_nano(write if cache_write_1h is None else cache_write_1h),
    )


def _nano(usd_per_million: Decimal) -> int:
    # Upwards, as a limit may be reached too early but never too late.
    return int((usd_per_million * _SCALE).to_integral_value(ROUND_CEILING))


def _undated(model: str) -> str:
    return _SNAPSHOT_SUFFIX.sub("", model)


def _canonical(model: str) -> str:
    """The id in the one spelling that equal models share."""
    return _undated(model).lower().replace(".", "-").removesuffix("-0")
