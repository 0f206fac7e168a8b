"""A generation: a snapshot made ready to run, with its tools and its provider clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from interlock.config.load import Loaded, load
from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.config.surroundings import Surroundings
from interlock.cost.prices import price_of
from interlock.diagnostics import Diagnostic, Location
from interlock.engine.steps import Services
from interlock.errors import ConfigError, ToolDefinitionError
from interlock.guardrails import SETTINGS, build_guards
from interlock.model.base import EnvRef
from interlock.model.settings import PriceEntry
from interlock.providers.anthropic import AnthropicProvider
from interlock.tools.toolbox import Toolbox
from interlock.turn.agent import CompiledAgent
from interlock.turn.compile import compile_agent

__all__ = ["Generation", "build", "check", "resolve"]


@dataclass(frozen=True, slots=True)
class Generation:
    """A snapshot that can answer messages. Turns keep the one that they began with."""

    snapshot: Snapshot
    agents: Mapping[str, CompiledAgent]
    services: Services
    _toolbox: Toolbox
    _providers: Mapping[str, AnthropicProvider]

    async def close(self) -> None:
        """Closes the connections; no turn of this generation may be running."""
        await self._toolbox.close()
        for provider in self._providers.values():
            await provider.close()


def check(source: Source, environment: Mapping[str, str]) -> tuple[Loaded, Toolbox | None]:
    """Everything that `build` would find, and the tools if there is nothing wrong."""
    loaded = load(source, _surroundings(environment))
    if loaded.snapshot is None:
        return loaded, None
    found = list(loaded.found)
    tools, settings = loaded.snapshot.tools, loaded.snapshot.settings
    env = {**settings.environment, **environment}
    try:
        toolbox = Toolbox.build(tools.values(), env=env, files=loaded.snapshot.files)
    except ToolDefinitionError as error:
        found.append(Diagnostic("ILK-C014", str(error), Location("tools.d/")))
        return Loaded(source, None, tuple(found), loaded.places), None
    return loaded, toolbox


def build(source: Source, environment: Mapping[str, str]) -> Generation:
    """The generation of a source. Raises `ConfigError` with every finding."""
    loaded, toolbox = check(source, environment)
    if loaded.snapshot is None or toolbox is None:
        raise ConfigError(loaded.found)
    snapshot = loaded.snapshot
    prices = partial(price_of, overrides=snapshot.settings.prices)
    agents = {
        name: compile_agent(
            agent,
            snapshot=snapshot.digest,
            system=snapshot.prompts[name].system,
            planner=snapshot.prompts[name].planner,
            reinforcement=snapshot.prompts[name].reinforcement,
            tools=snapshot.tools,
            settings=snapshot.settings,
            price_of=prices,
            guards=build_guards(agent),
        )
        for name, agent in snapshot.agents.items()
    }
    providers = {
        name: AnthropicProvider(
            name=name,
            base_url=resolve(provider.base_url, environment),
            api_key=resolve(provider.api_key, environment),
            timeout_seconds=provider.timeout.total_seconds(),
            max_concurrency=provider.max_concurrency,
            stream=provider.stream,
            headers=provider.headers,
        )
        for name, provider in snapshot.settings.providers.items()
    }
    return Generation(snapshot, agents, Services(providers, toolbox), toolbox, providers)


def resolve(value: str | EnvRef, environment: Mapping[str, str]) -> str:
    """The text of a value that may come from the environment; that it does was checked."""
    if isinstance(value, str):
        return value
    return environment.get(value.env, value.default or "")


def _has_price(model: str, overrides: Mapping[str, PriceEntry]) -> bool:
    return price_of(model, overrides=overrides) is not None


def _surroundings(environment: Mapping[str, str]) -> Surroundings:
    return Surroundings(environment=environment, guardrails=SETTINGS, has_price=_has_price)
