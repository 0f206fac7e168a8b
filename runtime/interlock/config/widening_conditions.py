"""The conditions of the rules on widening: what must be true of a difference."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from interlock.config.comparison import Comparison
from interlock.config.diff_tree import key_of, tool_tree
from interlock.config.difference import Difference
from interlock.config.schema_widening import loosens
from interlock.model.agent import Agent
from interlock.model.usage import Price

__all__ = [
    "added",
    "agent_cost_grows",
    "becomes",
    "becomes_or_removed",
    "changed",
    "changed_or_removed",
    "guardrail_may_be_looser",
    "host_is_reachable",
    "key_is_longer",
    "last_key_removed",
    "lowered",
    "model_cost_grows",
    "mutation_added",
    "price_lowered",
    "raised",
    "raised_for_an_agent",
    "raised_or_removed",
    "removed",
    "replaced",
    "schema_is_looser",
    "still_there",
]

Condition = Callable[[Difference, Comparison], bool]

_RATES = {
    "input": "input",
    "output": "output",
    "cacheRead": "cache_read",
    "cacheWrite": "cache_write_5m",
    "cacheWrite1h": "cache_write_1h",
}
"""The keys of a price, and where `PriceRow` has them."""


def added(difference: Difference, _: Comparison) -> bool:
    """The part was not there."""
    return difference.before is None


def removed(difference: Difference, _: Comparison) -> bool:
    """The part is not there any more."""
    return difference.after is None


def replaced(difference: Difference, _: Comparison) -> bool:
    """The part is on both sides, and not the same."""
    return difference.kind == "changed"


def changed(_: Difference, __: Comparison) -> bool:
    """Anything is different."""
    return True


def changed_or_removed(difference: Difference, _: Comparison) -> bool:
    """The part was there and is not the same."""
    return difference.before is not None


def still_there(difference: Difference, _: Comparison) -> bool:
    """The part is new, or not the same."""
    return difference.after is not None


def raised(difference: Difference, _: Comparison) -> bool:
    """A number or a time is higher than before."""
    return difference.kind == "changed" and bool(difference.after > difference.before)


def lowered(difference: Difference, _: Comparison) -> bool:
    """A number or a time is lower than before."""
    return difference.kind == "changed" and bool(difference.after < difference.before)


def raised_or_removed(difference: Difference, comparison: Comparison) -> bool:
    """A limit is higher than before, or gone."""
    return difference.kind == "removed" or raised(difference, comparison)


def becomes(value: str | bool) -> Condition:
    """The part is now `value`."""

    def test(difference: Difference, _: Comparison) -> bool:
        return bool(difference.after == value)

    return test


def becomes_or_removed(value: str) -> Condition:
    """The part is now `value`, or gone."""

    def test(difference: Difference, _: Comparison) -> bool:
        return difference.after is None or bool(difference.after == value)

    return test


def raised_for_an_agent(usual: Callable[[Agent], Any]) -> Condition:
    """A tool's own limit, or the agent's where it has none, is higher for one of its agents."""

    def test(difference: Difference, comparison: Comparison) -> bool:
        for agent in comparison.after.agents.values():
            if difference.name not in agent.tools:
                continue
            before, after = difference.before, difference.after
            old = usual(agent) if before is None else before
            new = usual(agent) if after is None else after
            if new > old:
                return True
        return False

    return test


def agent_cost_grows(difference: Difference, comparison: Comparison) -> bool:
    """The agent's worst case costs more than before."""
    return comparison.worst_cases(difference.name).grows


def model_cost_grows(difference: Difference, comparison: Comparison) -> bool:
    """The worst case of an agent that uses the model costs more than before."""
    agents = comparison.agents_with(key_of(difference.path[1]))
    return any(comparison.worst_cases(name).grows for name in agents)


def guardrail_may_be_looser(difference: Difference, comparison: Comparison) -> bool:
    """A guardrail's settings changed, and not only to a lower `characters` of `max_length`."""
    use, key = difference.path[2], difference.path[-1]
    known = use.strip("[]").partition("#")[0] == "max_length" and key == "characters"
    return not known or raised(difference, comparison)


def mutation_added(difference: Difference, comparison: Comparison) -> bool:
    """The tool is new, and changes something."""
    return difference.before is None and comparison.after.tools[difference.name].is_mutation


def schema_is_looser(difference: Difference, comparison: Comparison) -> bool:
    """The schema may let inputs pass that it refused."""
    before = tool_tree(comparison.before.tools[difference.name])
    after = tool_tree(comparison.after.tools[difference.name])
    return loosens(before["input"], after["input"], difference.path[1:])


def key_is_longer(difference: Difference, _: Comparison) -> bool:
    """The key has an input that it did not have; an empty key means all of them."""
    before, after = set(difference.before), set(difference.after)
    return bool(before) and not (after and after <= before)


def host_is_reachable(difference: Difference, _: Comparison) -> bool:
    """The service listens where other machines can reach it."""
    host = str(difference.after)
    if host.lower() == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def last_key_removed(difference: Difference, comparison: Comparison) -> bool:
    """No key is asked for any more."""
    return difference.after is None and not comparison.after.settings.auth.keys


def price_lowered(difference: Difference, comparison: Comparison) -> bool:
    """What the budget counts for a model is less than before, or nothing."""
    before, after = comparison.prices(key_of(difference.path[1]))
    if before is None:
        return False
    if after is None:
        return True
    keys = difference.path[2:] or tuple(_RATES)
    return any(min(_rates(after, _RATES[key])) < max(_rates(before, _RATES[key])) for key in keys)


def _rates(price: Price, name: str) -> list[int]:
    return [getattr(row, name) for _, row in price.rows]
