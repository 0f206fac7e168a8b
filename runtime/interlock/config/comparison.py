"""Two configurations side by side, with what each agent's conversations can cost in both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, get_args

from interlock.config.bounds import PriceOf, WorstCase, agent_routes, worst_case
from interlock.config.snapshot import Snapshot
from interlock.model.agent import Agent, Route
from interlock.model.usage import Price

__all__ = ["Comparison", "WorstCases"]


class WorstCases(NamedTuple):
    """An agent's worst case in both configurations; None where there is no such agent."""

    before: WorstCase | None
    after: WorstCase | None

    @property
    def grows(self) -> bool:
        """Whether a conversation can cost more than before, or nobody knows how much."""
        if self.before is None or self.after is None or self.before.cost_nano is None:
            return False
        return self.after.cost_nano is None or self.after.cost_nano > self.before.cost_nano


@dataclass(frozen=True)
class Comparison:
    """What a judgement on a difference may need to know."""

    before: Snapshot
    after: Snapshot
    price_of: PriceOf

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """The names of all agents there are, before or after, sorted."""
        return tuple(sorted({*self.before.agents, *self.after.agents}))

    def worst_cases(self, agent: str) -> WorstCases:
        """The worst cases of the agent of that name."""
        return WorstCases(self._worst(self.before, agent), self._worst(self.after, agent))

    def agents_with(self, model: str) -> tuple[str, ...]:
        """The agents that use the model of that name in `models:`, before or after."""
        return tuple(
            name
            for name in self.agents
            if any(
                name in snapshot.agents and model in _models(snapshot.agents[name])
                for snapshot in (self.before, self.after)
            )
        )

    def prices(self, model: str) -> tuple[Price | None, Price | None]:
        """What the budget counts for a model id, before and after."""
        return (
            self.price_of(model, self.before.settings.prices),
            self.price_of(model, self.after.settings.prices),
        )

    def _worst(self, snapshot: Snapshot, name: str) -> WorstCase | None:
        agent = snapshot.agents.get(name)
        if agent is None:
            return None
        return worst_case(agent, agent_routes(agent, snapshot.settings, self.price_of))


def _models(agent: Agent) -> set[str]:
    return {agent.models.name(route) for route in get_args(Route)}
