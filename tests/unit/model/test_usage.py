from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from hypothesis import given
from hypothesis import strategies as st

from interlock.model.usage import Price, PriceRow, Usage, usd

counts = st.integers(min_value=0, max_value=2_000_000)
rates = st.integers(min_value=0, max_value=100_000_000)


@st.composite
def rows(draw: st.DrawFn) -> PriceRow:
    input_, write, write_1h = draw(rates), draw(rates), draw(rates)
    return PriceRow(
        input=input_,
        output=draw(rates),
        cache_read=draw(rates),
        cache_write_5m=write,
        cache_write_1h=write_1h,
    )


@st.composite
def prices(draw: st.DrawFn) -> Price:
    starts = draw(st.lists(st.integers(min_value=1, max_value=3_000_000), max_size=3, unique=True))
    return Price(rows=tuple((start, draw(rows())) for start in [0, *sorted(starts)]), source="test")


usages = st.builds(
    Usage,
    input=counts,
    cache_write_5m=counts,
    cache_write_1h=counts,
    cache_read=counts,
    output=counts,
)


def exact_cost(price: Price, usage: Usage) -> Decimal:
    """In US dollars, from the meaning of the rows alone."""
    row = next(row for start, row in reversed(price.rows) if start == 0 or usage.prompt > start)
    pairs = [
        (usage.input, row.input),
        (usage.cache_write_5m, row.cache_write_5m),
        (usage.cache_write_1h, row.cache_write_1h),
        (usage.cache_read, row.cache_read),
        (usage.output, row.output),
    ]
    return sum(
        (Decimal(count) * Decimal(rate).scaleb(-6) / Decimal(10**6) for count, rate in pairs),
        Decimal(0),
    )


@given(prices(), usages)
def test_a_cost_is_exact_rounded_up_to_a_nano_dollar(price: Price, usage: Usage) -> None:
    nano = exact_cost(price, usage).scaleb(9).to_integral_value(ROUND_CEILING)
    assert price.cost(usage) == nano
    assert usd(price.cost(usage)) - exact_cost(price, usage) < Decimal("1e-9")


@given(prices(), usages)
def test_a_cost_is_never_negative(price: Price, usage: Usage) -> None:
    assert price.cost(usage) >= 0
    assert price.cost(Usage()) == 0


@given(prices(), usages, counts, counts)
def test_no_call_of_that_size_or_less_costs_more_than_the_worst(
    price: Price, usage: Usage, more_prompt: int, more_output: int
) -> None:
    worst = price.worst(usage.prompt + more_prompt, usage.output + more_output)
    assert worst >= price.cost(usage)


@given(prices(), counts, counts)
def test_the_worst_case_grows_with_the_call(price: Price, prompt: int, output: int) -> None:
    assert price.worst(prompt, output) >= 0
    assert price.worst(prompt + 1, output) >= price.worst(prompt, output)
    assert price.worst(prompt, output + 1) >= price.worst(prompt, output)


@given(rows(), usages, usages)
def test_one_call_costs_at_most_what_its_parts_cost_alone(
    row: PriceRow, left: Usage, right: Usage
) -> None:
    price = Price(rows=((0, row),), source="test")
    whole = Usage(
        input=left.input + right.input,
        cache_write_5m=left.cache_write_5m + right.cache_write_5m,
        cache_write_1h=left.cache_write_1h + right.cache_write_1h,
        cache_read=left.cache_read + right.cache_read,
        output=left.output + right.output,
    )
    parts = price.cost(left) + price.cost(right)
    assert parts - 1 <= price.cost(whole) <= parts


def test_a_row_holds_above_its_start() -> None:
    cheap = PriceRow(1000, 1000, 1000, 1000, 1000)
    dear = PriceRow(5000, 5000, 5000, 5000, 5000)
    price = Price(rows=((0, cheap), (100, dear)), source="test")
    assert price.cost(Usage(input=100, output=7)) == 107
    assert price.cost(Usage(input=101, output=7)) == 540
    assert price.cost(Usage(input=51, cache_read=50, output=7)) == 540


@given(usages)
def test_usage_survives_json(usage: Usage) -> None:
    assert Usage.from_json(usage.to_json()) == usage
    assert usage.total == usage.prompt + usage.output


@given(st.integers(min_value=0, max_value=10**18))
def test_nano_dollars_are_exact_dollars(nano: int) -> None:
    assert usd(nano) * 10**9 == nano
