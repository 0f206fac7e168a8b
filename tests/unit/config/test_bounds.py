from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.config.bounds import RouteCost, agent_routes, worst_case
from interlock.cost.prices import price_of
from interlock.model.agent import Agent, Route
from interlock.model.settings import PriceEntry
from interlock.model.turn import Spent
from interlock.model.usage import Price, PriceRow, Usage
from interlock.turn.budget import Budget, Reservation
from tests.unit.config.project import base_files, load_files

ROUTES: tuple[Route, ...] = get_args(Route)
MILLION = 1_000_000


def agent(max_tokens: int, max_cost_usd: str | None = None) -> Agent:
    limits = {"maxTokens": max_tokens, "maxCostUsd": max_cost_usd}
    return Agent.model_validate_json(
        f"""{{"name": "a", "description": "d", "models": {{"plan": "m", "execute": "m"}},
        "tools": ["t"], "prompts": {{"system": "s"}},
        "limits": {{"maxTokens": {limits["maxTokens"]},
                    "maxCostUsd": {limits["maxCostUsd"] or "null"}}}}}"""
    )


def flat(input_: int, output: int, cache: int | None = None) -> Price:
    """Rates in USD for a million tokens."""
    read = input_ if cache is None else cache
    row = PriceRow(input_ * MILLION, output * MILLION, read * MILLION, read * MILLION, 0)
    return Price(((0, row),), "test")


# What a call can be: tokens of each kind, on a route.
rates = st.integers(min_value=0, max_value=30_000_000)


@st.composite
def price(draw: st.DrawFn, most_tokens: int) -> Price:
    starts = draw(st.lists(st.integers(1, most_tokens * 2), max_size=2, unique=True))
    rows = [(start, PriceRow(*(draw(rates) for _ in range(5)))) for start in [0, *sorted(starts)]]
    return Price(tuple(rows), "test")


@st.composite
def conversation(draw: st.DrawFn) -> tuple[int, list[RouteCost], list[tuple[RouteCost, Usage]]]:
    """A limit, routes, and calls whose tokens sum up to the limit at most."""
    limit = draw(st.integers(1, 300_000))
    routes = [
        RouteCost(f"m{index}", draw(st.integers(16, 4000)), draw(price(limit)))
        for index in range(draw(st.integers(1, 3)))
    ]
    left = limit
    calls = []
    for _ in range(draw(st.integers(0, 12))):
        route = draw(st.sampled_from(routes))
        output = draw(st.integers(0, min(left, 2 * route.max_tokens)))
        kinds = []
        room = left - output
        for _ in range(4):
            kinds.append(draw(st.one_of(st.integers(0, room), st.just(room))))
            room -= kinds[-1]
        calls.append((route, Usage(*kinds, output=output)))
        left -= output + sum(kinds)
    return limit, routes, calls


def on_routes(routes: list[RouteCost]) -> dict[Route, RouteCost]:
    return {route: routes[place % len(routes)] for place, route in enumerate(ROUTES)}


@given(conversation())
def test_no_calls_within_the_token_limit_cost_more(
    conversation: tuple[int, list[RouteCost], list[tuple[RouteCost, Usage]]],
) -> None:
    limit, routes, calls = conversation
    worst = worst_case(agent(limit), on_routes(routes))
    assert worst.tokens == limit
    assert worst.cost_nano is not None
    spent = 0
    for route, usage in calls:
        assert route.price is not None
        spent += route.price.cost(usage)
    assert sum(usage.total for _, usage in calls) <= limit
    assert spent <= worst.cost_nano


@given(conversation())
def test_nor_does_what_is_charged_for_calls_of_unknown_outcome(
    conversation: tuple[int, list[RouteCost], list[tuple[RouteCost, Usage]]],
) -> None:
    limit, routes, calls = conversation
    charged = 0
    for route, usage in calls:
        assert route.price is not None
        charged += route.price.worst(usage.prompt, usage.output)
    worst = worst_case(agent(limit), on_routes(routes))
    assert worst.cost_nano is not None
    assert charged <= worst.cost_nano


@given(conversation(), st.integers(0, 2_000_000_000))
def test_a_conversation_with_a_real_budget_stays_within_it(
    conversation: tuple[int, list[RouteCost], list[tuple[RouteCost, Usage]]], cost_limit: int
) -> None:
    limit, routes, calls = conversation
    declared = agent(limit, str(Decimal(cost_limit).scaleb(-9)))
    worst = worst_case(declared, on_routes(routes))
    assert worst.cost_nano is not None
    assert worst.cost_nano <= cost_limit
    budget = Budget(
        max_tokens=limit,
        max_cost_nano=declared.max_cost_nano,
        reserve_tokens=0,
        reserve_cost_nano=0,
        spent=Spent(),
    )
    spent = 0
    # Calls go on until nothing fits any more.
    for route, usage in calls * 3:
        assert route.price is not None
        held = budget.reserve(usage.total, route.price.worst(usage.prompt, usage.output))
        if isinstance(held, Reservation):
            cost = route.price.cost(usage)
            budget.settle(held, usage.total, cost)
            spent += cost
    assert spent <= worst.cost_nano


@given(st.integers(1, 200_000), st.integers(0, 40), st.integers(0, 40))
def test_the_bound_is_reached_where_a_price_has_no_tiers(
    limit: int, input_: int, output: int
) -> None:
    route = RouteCost("m", 100, flat(input_, output))
    worst = worst_case(agent(limit), on_routes([route]))
    assert route.price is not None
    dearest = Usage(input=limit) if input_ >= output else Usage(output=limit)
    assert worst.cost_nano == route.price.cost(dearest)


def test_the_dearest_model_counts() -> None:
    cheap, dear = RouteCost("cheap", 100, flat(1, 5)), RouteCost("dear", 100, flat(3, 15))
    worst = worst_case(agent(50_000), on_routes([cheap, cheap, dear]))
    assert worst.cost_nano == 50_000 * 15 * 1000
    assert worst.limited_by == "maxTokens"


def test_writing_a_cache_can_be_dearer_than_input_and_output() -> None:
    worst = worst_case(agent(1000), on_routes([RouteCost("m", 100, flat(1, 2, cache=7))]))
    assert worst.cost_nano == 1000 * 7 * 1000


def test_a_dear_tier_counts_only_with_the_prompt_that_it_takes() -> None:
    row = PriceRow(MILLION, 10 * MILLION, MILLION, MILLION, MILLION)
    dear = PriceRow(2 * MILLION, 100 * MILLION, 2 * MILLION, 2 * MILLION, 2 * MILLION)
    tiered = Price(((0, row), (999, dear)), "test")
    below = worst_case(agent(999), on_routes([RouteCost("m", 50, tiered)]))
    assert below.cost_nano == 999 * 10 * 1000
    # In the dear tier, 100 tokens of output, twice 50, take a prompt of 1000: (2000 + 10000) / 1100
    # thousandths a token are 10.9, more than the 10 of output alone in the cheap one.
    above = worst_case(agent(2000), on_routes([RouteCost("m", 50, tiered)]))
    assert above.cost_nano == 2000 * 10_910
    # With less output in each call the dear tier is never worth it.
    less = worst_case(agent(2000), on_routes([RouteCost("m", 40, tiered)]))
    assert less.cost_nano == 2000 * 10_000


def test_a_lower_cost_limit_is_the_worst_case() -> None:
    routes = on_routes([RouteCost("m", 100, flat(3, 15))])
    assert worst_case(agent(50_000, "0.5"), routes).cost_nano == 500_000_000
    assert worst_case(agent(50_000, "0.5"), routes).limited_by == "maxCostUsd"
    assert worst_case(agent(50_000, "0.75"), routes).limited_by == "maxTokens"
    assert worst_case(agent(50_000, "9"), routes).cost_nano == 750_000_000


def test_an_unknown_price_makes_the_worst_case_unknown_even_with_a_cost_limit() -> None:
    routes = on_routes(
        [RouteCost("b", 9, None), RouteCost("m", 9, flat(1, 1)), RouteCost("a", 9, None)]
    )
    worst = worst_case(agent(100, "0.5"), routes)
    assert (worst.cost_nano, worst.unpriced) == (None, ("a", "b"))
    assert worst.tokens == 100


def test_models_that_cost_nothing_have_a_worst_case_of_nothing() -> None:
    assert worst_case(agent(100), on_routes([RouteCost("m", 9, flat(0, 0))])).cost_nano == 0


@pytest.mark.parametrize(
    ("extra", "output"),
    [("", 2048), ("extraBody: {max_tokens: 9}", 9), ("extraBody: {max_tokens: x}", 50_000)],
)
def test_routes_are_those_of_the_settings(extra: str, output: int) -> None:
    files = base_files()
    model = f"model: claude-sonnet-5-5{', ' if extra else ''}{extra}}}"
    files["interlock.yaml"] = files["interlock.yaml"].replace(
        b"model: claude-sonnet-5-5}", model.encode()
    )
    snapshot = load_files(files).require()

    def price(model: str, overrides: object) -> Price | None:
        assert overrides == snapshot.settings.prices
        return price_of(model, overrides={})

    routes = agent_routes(snapshot.agents["support"], snapshot.settings, price)
    assert set(routes) == set(ROUTES)
    haiku, sonnet = (
        price_of("claude-haiku-5-5", overrides={}),
        price_of("claude-sonnet-5-5", overrides={}),
    )
    assert routes["plan"] == routes["fastPath"] == ("claude-haiku-5-5", 2048, haiku)
    assert routes["execute"] == routes["reason"] == ("claude-sonnet-5-5", output, sonnet)


def test_prices_of_the_project_count() -> None:
    files = base_files() | {}
    files["interlock.yaml"] += b"\nprices: {claude-sonnet-5-5: {input: 1, output: 2}}\n"
    snapshot = load_files(files).require()

    def price(model: str, overrides: object) -> Price | None:
        assert isinstance(overrides, dict)
        assert all(isinstance(entry, PriceEntry) for entry in overrides.values())
        return price_of(model, overrides=overrides)

    routes = agent_routes(snapshot.agents["support"], snapshot.settings, price)
    found = routes["execute"][2]
    assert found is not None
    assert found.source == "interlock.yaml"
