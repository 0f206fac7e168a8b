"""A generation: a snapshot made ready to run, with its tools and its provider clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.config.load import Loaded, load
from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.config.surroundings import Surroundings
from interlock.cost.prices import price_of
from interlock.diagnostics import Diagnostic
from interlock.engine.steps import Services
from interlock.errors import ConfigError, ToolDefinitionError
from interlock.guardrails import SETTINGS, build_guards
from interlock.model.base import EnvRef
from interlock.model.settings import PriceEntry, Provider
from interlock.reload.clients import Clients, Lease
from interlock.reload.proof import prove_agents, prove_tools
from interlock.reload.secrets import SecretFiles
from interlock.reload.session_keys import PreparedKey, prove_sessions, session_keys
from interlock.tools.http import HttpClient
from interlock.tools.toolbox import Toolbox
from interlock.turn.agent import CompiledAgent
from interlock.turn.compile import compile_agent

if TYPE_CHECKING:
    from interlock.providers.anthropic import AnthropicProvider

__all__ = ["Generation", "build", "check", "resolve"]

Accept = Callable[[Snapshot], Iterable[Diagnostic]]
"""What speaks against a valid snapshot, beside what `check` finds."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A snapshot that can answer messages. Turns keep the one that they began with."""

    snapshot: Snapshot
    agents: Mapping[str, CompiledAgent]
    services: Services
    found: tuple[Diagnostic, ...]
    """The warnings."""
    secrets: SecretFiles
    """The files of secrets as they were read for it."""
    session_keys: tuple[PreparedKey, ...]
    """What session tokens are verified with; empty if there are none."""
    _toolbox: Toolbox
    _lease: Lease

    async def close(self) -> None:
        """Closes what no other generation needs; no turn of this one may be running."""
        await self._toolbox.close()
        await self._lease.close()


def check(
    source: Source,
    environment: Mapping[str, str],
    *,
    project: Path = Path(),
    client: HttpClient | None = None,
) -> tuple[Loaded, Toolbox | None]:
    """Everything that `build` would find, and the tools if there is nothing wrong.

    `project` is the folder that the files of secrets are relative to.
    """
    loaded, ready = _check(source, environment, secrets=SecretFiles(project), client=client)
    return loaded, None if ready is None else ready.toolbox


def build(
    source: Source,
    environment: Mapping[str, str],
    *,
    project: Path = Path(),
    clients: Clients | None = None,
    accept: Accept = lambda snapshot: (),
) -> Generation:
    """The generation of a source.

    Args:
        source: the files.
        environment: the environment variables that the configuration may refer to.
        project: the folder that the files of secrets are relative to.
        clients: where generations share the connections whose settings are the same.
        accept: asked once the source has been found valid, before anything is opened for it.

    Raises:
        ConfigError: with every finding. Nothing is left open.
    """
    lease, secrets = (Clients() if clients is None else clients).lease(), SecretFiles(project)
    try:
        client = lease.hold("tools", HttpClient)
        loaded, ready = _check(source, environment, secrets=secrets, client=client)
        snapshot = loaded.snapshot
        if snapshot is None or ready is None:
            raise ConfigError(loaded.found)
        refused = tuple(accept(snapshot))
        if refused:
            ready.toolbox.forget()
            raise ConfigError((*loaded.found, *refused))
        providers = {
            name: _hold_provider(name, provider, lease, environment, secrets)
            for name, provider in snapshot.settings.providers.items()
        }
        services = Services(providers, ready.toolbox)
        tokens = session_keys(snapshot.settings.auth.sessions, environment, secrets)
        return Generation(
            snapshot, ready.agents, services, loaded.found, secrets, tokens, ready.toolbox, lease
        )
    except BaseException:
        lease.give_back()
        raise


def resolve(value: str | EnvRef, environment: Mapping[str, str]) -> str:
    """The text of a value that may come from the environment; that it does was checked."""
    if isinstance(value, str):
        return value
    return environment.get(value.env, value.default or "")


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is made of a valid snapshot without opening anything."""

    toolbox: Toolbox
    agents: Mapping[str, CompiledAgent]


def _check(
    source: Source,
    environment: Mapping[str, str],
    *,
    secrets: SecretFiles,
    client: HttpClient | None,
) -> tuple[Loaded, _Ready | None]:
    loaded = load(source, _surroundings(environment, secrets))
    snapshot = loaded.snapshot
    if snapshot is None:
        return loaded, None
    env = {**snapshot.settings.environment, **environment}
    try:
        toolbox = Toolbox.build(snapshot.tools.values(), env=env, files=source.files, client=client)
    except ToolDefinitionError:
        # That was the first one; all are told at once.
        return _with_findings(loaded, _faults(loaded, snapshot, env)), None
    agents = _compile(snapshot)
    loaded = _with_findings(
        loaded,
        prove_tools(snapshot, toolbox, loaded.documents),
        prove_agents(snapshot, agents, loaded.documents),
        prove_sessions(loaded.documents["settings"], environment, secrets),
    )
    if loaded.snapshot is None:
        toolbox.forget()
        return loaded, None
    return loaded, _Ready(toolbox, agents)


def _with_findings(loaded: Loaded, *more: Iterable[Diagnostic]) -> Loaded:
    """The same with further findings; without a snapshot if one of them is an error."""
    added = [each for some in more for each in some]
    found = sorted((*loaded.found, *added), key=lambda each: each.location)
    valid = all(each.severity != "error" for each in added)
    return replace(loaded, snapshot=loaded.snapshot if valid else None, found=tuple(found))


def _faults(loaded: Loaded, snapshot: Snapshot, env: Mapping[str, str]) -> Iterator[Diagnostic]:
    """What is wrong with the implementations of the tools, one finding a tool."""
    for tool in snapshot.tools.values():
        try:
            Toolbox.build([tool], env=env, files=loaded.source.files).forget()
        except ToolDefinitionError as error:
            placed = loaded.documents[f"tools.{tool.name}"]
            yield placed.finding("ILK-C014", str(error), tuple(error.key.split(".")))


def _compile(snapshot: Snapshot) -> Mapping[str, CompiledAgent]:
    prices = partial(price_of, overrides=snapshot.settings.prices)
    return {
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


def _hold_provider(
    name: str,
    provider: Provider,
    lease: Lease,
    environment: Mapping[str, str],
    secrets: SecretFiles,
) -> AnthropicProvider:
    base_url = resolve(provider.base_url, environment)
    api_key = secrets.resolve(provider.api_key, environment)
    headers = {
        header: secrets.resolve(value, environment) for header, value in provider.headers.items()
    }
    timeout_seconds = provider.timeout.total_seconds()

    def make() -> AnthropicProvider:
        # The SDK takes a second to import, which a check can do without.
        from interlock.providers.anthropic import AnthropicProvider

        return AnthropicProvider(
            name=name,
            base_url=base_url,
            api_key=api_key,
            timeout_seconds=timeout_seconds,
            max_concurrency=provider.max_concurrency,
            stream=provider.stream,
            headers=headers,
        )

    # All that the client is made of. Retries are not: every turn has those of its generation.
    key = (
        *("provider", name, base_url, api_key, timeout_seconds),
        *(provider.max_concurrency, provider.stream, tuple(sorted(headers.items()))),
    )
    return lease.hold(key, make)


def _has_price(model: str, overrides: Mapping[str, PriceEntry]) -> bool:
    return price_of(model, overrides=overrides) is not None


def _surroundings(environment: Mapping[str, str], secrets: SecretFiles) -> Surroundings:
    return Surroundings(environment, SETTINGS, _has_price, secrets.read)
