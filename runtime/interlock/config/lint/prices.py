"""Whether costs can be known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from interlock.config.placed import Placed
from interlock.config.surroundings import Surroundings
from interlock.diagnostics import Diagnostic
from interlock.model.agent import Agent, Route
from interlock.model.settings import Settings

__all__ = ["find_unpriced_models"]


def find_unpriced_models(
    placed: Placed[Agent], settings: Settings, surroundings: Surroundings
) -> Iterator[Diagnostic]:
    """ILK-C028: a model without a price, where no limit on costs makes that an error."""
    agent = placed.model
    if agent.limits.max_cost_usd is not None:
        return
    told = set()
    for route in get_args(Route):
        entry = settings.models.get(agent.models.name(route))
        if entry is None or entry.model in told:
            continue
        told.add(entry.model)
        if not surroundings.has_price(entry.model, settings.prices):
            yield placed.finding(
                "ILK-C028",
                f"the price of '{entry.model}' is unknown, and so is what a conversation costs",
                ("models", route),
                hint=f"add '{entry.model}' under prices: in interlock.yaml; it may be 0",
                severity="warning",
            )
