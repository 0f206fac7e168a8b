"""The plugins of one generation, as the rest of the runtime uses them."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

from interlock.config.snapshot import Snapshot
from interlock.diagnostics import Diagnostic
from interlock.errors import ConfigError
from interlock.guardrails import GuardrailKind
from interlock.hooks.blame import blame
from interlock.hooks.data import GenerationInfo, ReloadInfo, Sink, SinkKind
from interlock.hooks.dispatch import Caller, Implementation, PluginCallError, PluginState
from interlock.hooks.guards import HookGuard, OnError
from interlock.hooks.loading import Found
from interlock.hooks.outlet import Outlet
from interlock.model.base import Document, SecretRef
from interlock.model.event import TraceEvent
from interlock.turn.guard import Guards, Use

__all__ = ["Member", "OpenSink", "Plugins", "failed_hook"]

_SLACK_SECONDS = 1.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """One plugin of a generation."""

    found: Found
    hooks: Mapping[str, Implementation]
    settings: Document
    caller: Caller
    outlet: Outlet
    on_error: OnError

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.found.name


@dataclass(frozen=True, slots=True)
class OpenSink:
    """A sink of interlock.yaml, with what stands between it and the turns."""

    sink: Sink
    caller: Caller
    outlet: Outlet


class Plugins:
    """What the plugins of one generation register, decide and are told.

    Nothing is running before `start` or the first event, so one that is only checked needs no
    `close` but `forget`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        *,
        guardrails: Mapping[str, GuardrailKind],
        sinks: Mapping[str, SinkKind],
        sink_owners: Mapping[str, Member],
        complete: bool,
    ) -> None:
        self.members = tuple(members)
        self.guardrails = guardrails
        """Every guardrail that agents can use, by name."""
        self.sinks = sinks
        """Every sink that can be used, by name."""
        self.sink_owners = sink_owners
        """The plugin that registers each of them."""
        self.complete = complete
        """Whether all plugins that are there could be loaded."""
        self._open: list[OpenSink] = []
        self._events = tuple(member for member in members if "on_event" in member.hooks)
        self._started: list[tuple[Member, GenerationInfo]] = []

    @property
    def settings_models(self) -> Mapping[str, type[Document]]:
        """The settings of the plugins that have any, by plugin."""
        kinds = {member.name: type(member.settings) for member in self.members}
        return {name: kind for name, kind in kinds.items() if kind.model_fields}

    def guards(self, declared: Guards, *, agent: str) -> Guards:
        """The guardrails of an agent's YAML, and after them the guard hooks of all plugins."""

        def hooks(stage: str) -> tuple[Use, ...]:
            return tuple(
                Use(
                    HookGuard(
                        member.caller,
                        member.hooks[f"guard_{stage}"],
                        settings=member.settings,
                        agent=agent,
                        on_error=member.on_error,
                    ),
                    # The plugin's own limit holds, and says which plugin it was.
                    timeout_seconds=member.caller.timeout_seconds + _SLACK_SECONDS,
                    # It may redact a message, so no model reads the message before it.
                    redacts=stage == "input",
                )
                for member in self.members
                if f"guard_{stage}" in member.hooks
            )

        return replace(
            declared,
            input=(*declared.input, *hooks("input")),
            tool_call=(*declared.tool_call, *hooks("tool_call")),
            tool_result=(*declared.tool_result, *hooks("tool_result")),
            output=(*declared.output, *hooks("output")),
        )

    def check_snapshot(self, snapshot: Snapshot) -> list[Diagnostic]:
        """What plugins find wrong with a configuration; that one of them failed is found too."""
        found: list[Diagnostic] = []
        for member in self._with("check_snapshot"):
            try:
                bound = member.hooks["check_snapshot"].bind(
                    snapshot=snapshot, settings=member.settings
                )
                given = list(bound() or ())
                for each in given:
                    if not isinstance(each, Diagnostic):
                        raise TypeError(f"it gave {type(each).__name__}, not Diagnostic")
            except Exception as error:
                # The boundary of a hook: whoever reads the findings hears of it.
                found.append(failed_hook(member.found, "check_snapshot", error))
            else:
                found += given
        return found

    def resolve_secrets(
        self, references: Iterable[SecretRef]
    ) -> tuple[dict[SecretRef, str], list[Diagnostic]]:
        """The secrets that plugins have, and what went wrong when they were asked."""
        secrets: dict[SecretRef, str] = {}
        found: list[Diagnostic] = []
        members = tuple(self._with("resolve_secret"))
        for reference in dict.fromkeys(references):
            for member in members:
                try:
                    bound = member.hooks["resolve_secret"].bind(
                        reference=reference, settings=member.settings
                    )
                    secret = bound()
                    if secret is not None and not (isinstance(secret, str) and secret):
                        raise TypeError(f"it gave {type(secret).__name__}, not a text")
                except Exception as error:
                    # The boundary of a hook: whoever reads the findings hears of it.
                    found.append(failed_hook(member.found, "resolve_secret", error))
                    break
                if secret is not None:
                    secrets[reference] = secret
                    break
        return secrets, found

    def add_sink(self, sink: OpenSink) -> None:
        """Sends the trace events to one more sink."""
        self._open.append(sink)

    def event(self, event: TraceEvent) -> None:
        """Tells sinks and plugins of a trace event; neither waits nor raises."""
        for sink in self._open:
            sink.outlet.offer("write", partial(sink.sink.write, event))
        for member in self._events:
            bound = member.hooks["on_event"].bind(event=event, settings=member.settings)
            member.outlet.offer("on_event", bound)

    def reloaded(self, outcome: ReloadInfo) -> None:
        """Tells plugins of an attempt to change the configuration; neither waits nor raises."""
        for member in self._with("on_reload"):
            bound = member.hooks["on_reload"].bind(outcome=outcome, settings=member.settings)
            member.outlet.offer("on_reload", bound)

    async def start(self, generation: GenerationInfo) -> None:
        """Has the plugins made ready, in order. Raises `ConfigError` if one of them fails."""
        for member in self.members:
            hook = member.hooks.get("on_generation_start")
            if hook is not None:
                bound = hook.bind(generation=generation, settings=member.settings)
                try:
                    await member.caller.call(hook.hook, bound)
                except PluginCallError as error:
                    raise ConfigError(
                        [failed_hook(member.found, hook.hook, error.__cause__ or error)]
                    ) from error
            self._started.append((member, generation))

    async def close(self) -> None:
        """Lets the queues run empty, has the plugins let go of what they hold, and forgets them."""
        outlets = [*(sink.outlet for sink in self._open), *(each.outlet for each in self.members)]
        await asyncio.gather(*(outlet.close() for outlet in outlets))
        while self._started:
            member, generation = self._started.pop()
            hook = member.hooks.get("on_generation_stop")
            if hook is not None:
                bound = hook.bind(generation=generation, settings=member.settings)
                await _attempt(member.caller, hook.hook, bound)
        for sink in self._open:
            await _attempt(sink.caller, "close", sink.sink.close)
        callers = [*(sink.caller for sink in self._open), *(each.caller for each in self.members)]
        await asyncio.gather(*(caller.close() for caller in callers))
        self.forget()

    def forget(self) -> None:
        """Takes drop-ins out of `sys.modules`, so that old generations can be freed."""
        for member in self.members:
            if member.found.origin == "drop-in" and isinstance(member.found.plugin, ModuleType):
                sys.modules.pop(member.found.plugin.__name__, None)

    def states(self) -> Mapping[str, PluginState]:
        """How each plugin and each sink fares, by name."""
        callers = [*(each.caller for each in self.members), *(sink.caller for sink in self._open)]
        return {caller.plugin: caller.state for caller in callers}

    def _with(self, hook: str) -> Iterable[Member]:
        return (member for member in self.members if hook in member.hooks)


def failed_hook(found: Found, hook: str, error: BaseException) -> Diagnostic:
    """The finding for a hook that failed while a configuration was made ready."""
    code = getattr(getattr(found.plugin, hook, None), "__code__", None)
    said = blame(error, found.path, line=1 if code is None else code.co_firstlineno)
    message = f"the plugin '{found.name}' failed in {hook}(): {said.text}"
    hint = f"correct it, or add '{found.name}' to plugins.disable in interlock.yaml"
    return Diagnostic("ILK-P108", message, said.place, hint)


async def _attempt(caller: Caller, hook: str, function: Callable[[], object]) -> None:
    try:
        await caller.call(hook, function)
    except PluginCallError:
        # The caller has logged it; what is left is closed all the same.
        return
