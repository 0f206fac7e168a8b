"""The worst case of one conversation with an agent, proved from its limits and its prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from interlock.model.agent import Agent, Route
from interlock.model.settings import PriceEntry, Settings
from interlock.model.usage import Price

__all__ = ["PriceOf", "RouteCost", "WorstCase", "agent_routes", "worst_case"]

PriceOf = Callable[[str, Mapping[str, PriceEntry]], Price | None]
"""The price of a model id, given the prices of interlock.yaml; None when nobody knows it."""

_ASKED_AGAIN = 2
"""A reply that was cut off is asked for once more with this many times the output tokens."""


class RouteCost(NamedTuple):
    """What a call on one route may take and cost."""

    model: str
    """The provider's id of the model."""
    max_tokens: int
    """Output tokens that a call asks for at first."""
    price: Price | None


@dataclass(frozen=True, slots=True)
class WorstCase:
    """What one conversation can use at most."""

    tokens: int
    cost_nano: int | None
    """Nano-dollars; None when the price of a model is unknown."""
    unpriced: tuple[str, ...]
    """The models whose price is unknown, sorted."""
    limited_by: Literal["maxTokens", "maxCostUsd"]
    """The limit that keeps the cost from being higher."""


def agent_routes(
    agent: Agent, settings: Settings, price_of: PriceOf
) -> Mapping[Route, tuple[str, int, Price | None]]:
    """What serves each route of an agent whose models are all declared."""
    routes: dict[Route, tuple[str, int, Price | None]] = {}
    for route in get_args(Route):
        entry = settings.models[agent.models.name(route)]
        # `extraBody` is laid over the request last, so its own max_tokens is the one that counts.
        most = entry.extra_body.get("max_tokens", entry.max_tokens)
        output = most if type(most) is int and most > 0 else agent.limits.max_tokens
        routes[route] = RouteCost(entry.model, output, price_of(entry.model, settings.prices))
    return routes


def worst_case(agent: Agent, routes: Mapping[Route, tuple[str, int, Price | None]]) -> WorstCase:
    """The most that one conversation can use, whatever its models, tools and customers do.

    No sequence of calls within `limits.maxTokens` costs more, however its tokens are split over
    models, calls, input, cached input and output. The bound holds for what the ledger charges
    too where nobody knows what a call was billed, as that is `Price.worst` of its size.
    """
    tokens = agent.limits.max_tokens
    unpriced = sorted({model for model, _, price in routes.values() if price is None})
    if unpriced:
        return WorstCase(tokens, None, tuple(unpriced), "maxTokens")
    # Each token of a call costs at most its model's dearest token, rounding included. So the sum
    # over all calls is at most the number of all tokens times the dearest token of all models.
    cost = tokens * max(
        _dearest_token(price, tokens, most * _ASKED_AGAIN)
        for _, most, price in routes.values()
        if price is not None
    )
    limit = agent.max_cost_nano
    if limit is not None and limit < cost:
        return WorstCase(tokens, limit, (), "maxCostUsd")
    return WorstCase(tokens, cost, (), "maxTokens")


def _dearest_token(price: Price, tokens: int, max_output: int) -> int:
    """Nano-dollars that a token of a call costs at most, averaged over the call and rounded up.

    The call has at most `tokens` tokens, and at most `max_output` of them are output.

    Take the highest row that the call reaches: its prompt has at least `least` tokens, and by
    `Price.worst` it costs at most `i` a token of input and `o` a token of output. If `i >= o`, the
    average is at most `i`. Otherwise it grows with the share of output, which is at most
    `max_output / (least + max_output)`: output is at most `max_output`, input at least `least`.
    So the average is at most that of one of two calls: one token of input alone, or the shortest
    prompt of the row with the longest output.

    Rounding up keeps the bound: a call of n tokens with an average of at most `a`, a whole number,
    costs at most n * a, itself a whole number, so rounding the call's cost up does not pass it.
    """
    dearest = 0
    for start, _ in price.rows:
        if start >= tokens:
            continue
        least = start + 1 if start else 0
        prompt = max(least, 1)
        dearest = max(
            dearest,
            -(-price.worst(prompt, 0) // prompt),
            -(-price.worst(least, max_output) // (least + max_output)),
        )
    return dearest
