"""A generation: a snapshot made ready to run, with its tools and its provider clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.config.load import Loaded, load, place_settings
from interlock.config.service import secret_references
from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.config.surroundings import Surroundings
from interlock.cost.prices import price_of
from interlock.diagnostics import Diagnostic
from interlock.engine.steps import Services
from interlock.errors import ConfigError, ToolDefinitionError
from interlock.guardrails import build_guards
from interlock.hooks.built_in import built_in_plugins
from interlock.hooks.data import GenerationInfo
from interlock.hooks.plugins import Plugins
from interlock.hooks.registry import load_plugins, open_sinks
from interlock.model.base import EnvRef, SecretRef
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
    plugins: Plugins
    """Its plugins, with the sinks of interlock.yaml."""
    _toolbox: Toolbox
    _lease: Lease

    async def start(self) -> None:
        """Has the plugins made ready. To be called once. Raises `ConfigError` if one fails."""
        agents, plugins = sorted(self.agents), (each.name for each in self.plugins.members)
        info = GenerationInfo(self.snapshot.digest, tuple(agents), tuple(plugins))
        await self.plugins.start(info)

    async def close(self) -> None:
        """Closes what no other generation needs; no turn of this one may be running."""
        await self.plugins.close()
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
    loaded, ready = _check(
        source, environment, secrets=SecretFiles(project), project=project, client=client
    )
    if ready is None:
        return loaded, None
    ready.plugins.forget()
    return loaded, ready.toolbox


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
        loaded, ready = _check(source, environment, secrets=secrets, project=project, client=client)
        snapshot = loaded.snapshot
        if snapshot is None or ready is None:
            raise ConfigError(loaded.found)
        refused = tuple(accept(snapshot))
        if refused:
            ready.toolbox.forget()
            ready.plugins.forget()
            raise ConfigError((*loaded.found, *refused))
        providers = {
            name: _hold_provider(name, provider, lease, environment, secrets)
            for name, provider in snapshot.settings.providers.items()
        }
        services = Services(providers, ready.toolbox)
        tokens = session_keys(snapshot.settings.auth.sessions, environment, secrets)
        return Generation(
            snapshot,
            ready.agents,
            services,
            loaded.found,
            secrets,
            tokens,
            ready.plugins,
            ready.toolbox,
            lease,
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
    plugins: Plugins


def _check(
    source: Source,
    environment: Mapping[str, str],
    *,
    secrets: SecretFiles,
    project: Path,
    client: HttpClient | None,
) -> tuple[Loaded, _Ready | None]:
    declared = place_settings(source)
    plugins, found = load_plugins(source.files, declared, built_in=built_in_plugins(project))
    resolved: dict[SecretRef, str] = {}
    if declared is not None:
        found += open_sinks(plugins, declared)
        resolved, failures = plugins.resolve_secrets(secret_references(declared.model))
        found += failures
    secrets.take(resolved)
    loaded = load(source, _surroundings(environment, secrets, plugins, resolved))
    loaded = _with_findings(loaded, found)
    snapshot = loaded.snapshot
    if snapshot is None:
        plugins.forget()
        return loaded, None
    env = {**snapshot.settings.environment, **environment}
    try:
        toolbox = Toolbox.build(snapshot.tools.values(), env=env, files=source.files, client=client)
    except ToolDefinitionError:
        # That was the first one; all are told at once.
        plugins.forget()
        return _with_findings(loaded, _faults(loaded, snapshot, env)), None
    try:
        agents = _compile(snapshot, plugins)
    except ConfigError as error:
        # A guardrail of a plugin could not be made.
        agents = {}
        loaded = _with_findings(loaded, error.diagnostics)
    loaded = _with_findings(
        loaded,
        prove_tools(snapshot, toolbox, loaded.documents),
        prove_agents(snapshot, agents, loaded.documents),
        prove_sessions(loaded.documents["settings"], environment, secrets),
        plugins.check_snapshot(snapshot),
    )
    if loaded.snapshot is None:
        toolbox.forget()
        plugins.forget()
        return loaded, None
    return loaded, _Ready(toolbox, agents, plugins)


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


def _compile(snapshot: Snapshot, plugins: Plugins) -> Mapping[str, CompiledAgent]:
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
            guards=plugins.guards(build_guards(agent, plugins.guardrails), agent=name),
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


def _surroundings(
    environment: Mapping[str, str],
    secrets: SecretFiles,
    plugins: Plugins,
    resolved: Mapping[SecretRef, str],
) -> Surroundings:
    return Surroundings(
        environment,
        {name: kind.settings for name, kind in plugins.guardrails.items()},
        _has_price,
        secrets.read,
        guardrails_complete=plugins.complete,
        resolved=frozenset(resolved),
    )
