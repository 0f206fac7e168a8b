"""Every hook that a plugin can implement. The first word of a name says how it is called:

- `register_` and `settings_`: asked once for each configuration; a failure rejects it.
- `check_`: asked once for each configuration; what it finds is reported with the other findings.
- `guard_`: asked in a turn, and decides; a failure counts as a no unless `onError` says otherwise.
- `on_`: told what has happened; cannot change it, hold it up or make it fail.
- `resolve_`: asked for something that only one plugin has; the first answer counts.

An implementation has the hook's name and takes as many of its arguments as it wants, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pluggy

from interlock.config.snapshot import Snapshot
from interlock.diagnostics import Diagnostic
from interlock.guardrails import GuardrailKind
from interlock.hooks.data import GenerationInfo, GuardContext, PluginSettings, ReloadInfo, SinkKind
from interlock.model.base import SecretRef
from interlock.model.event import TraceEvent
from interlock.turn.guard import Deny, GuardrailInput, Redact

__all__ = [
    "PROJECT",
    "check_snapshot",
    "guard_input",
    "guard_output",
    "guard_tool_call",
    "guard_tool_result",
    "hookimpl",
    "on_event",
    "on_generation_start",
    "on_generation_stop",
    "on_reload",
    "register_guardrails",
    "register_sinks",
    "resolve_secret",
    "settings_model",
]

PROJECT = "interlock"
"""The name of the entry point group, and of our hooks among those of other programs."""

_hookspec = pluggy.HookspecMarker(PROJECT)

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook whose name it has."""


@_hookspec(firstresult=True)
def settings_model() -> type[PluginSettings] | None:
    """What may stand under `plugins.settings.NAME` of interlock.yaml.

    When: each time that a configuration is checked or loaded, before every other hook.
    Data: none.
    Return: a subclass of `PluginSettings`. An instance of it is the `settings` of all other hooks.
    Failure: the configuration is rejected (ILK-P108). Sync only.
    Example:
        @hookimpl
        def settings_model():
            return MySettings
    """


@_hookspec
def register_guardrails(settings: PluginSettings) -> Mapping[str, GuardrailKind] | None:
    """Guardrails that agents can `use:` by their name, with settings of their own.

    When: each time that a configuration is checked or loaded.
    Data: `settings`: the plugin's own.
    Return: each kind by its name. Its settings join the editor schema of agents.
    Failure: the configuration is rejected (ILK-P108). In a turn a guardrail that raises, or that
        takes longer than `plugins.limits.NAME.timeout`, counts as a no. Sync only.
    Example:
        @hookimpl
        def register_guardrails():
            return {"no_swearing": GuardrailKind(SwearingSettings, NoSwearing)}
    """


@_hookspec
def register_sinks(settings: PluginSettings) -> Mapping[str, SinkKind] | None:
    """Sinks that `sinks:` of interlock.yaml can `use:` by their name.

    When: each time that a configuration is checked or loaded.
    Data: `settings`: the plugin's own.
    Return: each kind by its name. Its settings join the editor schema of interlock.yaml.
    Failure: the configuration is rejected (ILK-P108). While it runs, a sink that raises, hangs or
        is slow loses events, which are counted; turns never wait for it. Sync only.
    Example:
        @hookimpl
        def register_sinks():
            return {"audit": SinkKind(AuditSettings, AuditSink)}
    """


@_hookspec
def check_snapshot(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Diagnostic] | None:
    """Rules of your own for a configuration that is valid so far.

    When: each time that a configuration is checked or loaded, after all other checks.
    Data: `snapshot`: the whole configuration; `settings`: the plugin's own.
    Return: findings with the code ILK-P112. One whose severity is `error` rejects the
        configuration, a `warning` does not.
    Failure: the configuration is rejected (ILK-P108). Sync only.
    Example:
        @hookimpl
        def check_snapshot(snapshot):
            for name in snapshot.agents:
                if not name.islower():
                    place = Location(f"agents.d/{name}.yaml")
                    yield Diagnostic("ILK-P112", f"'{name}' is not lower case", place)
    """


@_hookspec(firstresult=True)
def resolve_secret(reference: SecretRef, settings: PluginSettings) -> str | None:
    """A secret from where you keep it, before the environment and files are looked at.

    When: each time that a configuration is checked or loaded, once for each reference in it.
    Data: `reference`: the `{env: NAME}` or `{file: PATH}` of the YAML; `settings`: the plugin's
        own.
    Return: the secret. None leaves it to the next plugin, and then to the environment or the file.
    Failure: the configuration is rejected (ILK-P108). Sync only.
    Example:
        @hookimpl
        def resolve_secret(reference):
            return vault.read(reference.env) if reference.env else None
    """


@_hookspec
async def guard_input(
    data: GuardrailInput, settings: PluginSettings, ctx: GuardContext
) -> Deny | Redact | None:
    """Judges each message of a customer, for every agent.

    When: in each turn, after the `guardrails.input` of the agent's YAML let the message pass.
    Data: `data`: what is to be judged; `settings`: the plugin's own; `ctx`: the agent, and a model.
    Return: `Deny` refuses the message, `Redact` lets another text pass instead, None abstains.
    Failure: an exception or no answer within `plugins.limits.NAME.timeout` is a no, or None
        where `plugins.limits.NAME.onError` is `allow`.
    Example:
        @hookimpl
        async def guard_input(data):
            return Deny("it is empty") if not data.text.strip() else None
    """


@_hookspec
async def guard_tool_call(
    data: GuardrailInput, settings: PluginSettings, ctx: GuardContext
) -> Deny | Redact | None:
    """Judges each tool call that the model asks for, before anything is sent.

    When: in each turn, after the `guardrails.toolCall` of the agent's YAML.
    Data: `data`: `tool`, and `arguments` as the model wrote them; `settings`; `ctx`.
    Return: `Deny` makes the call an error that the model reads, None abstains.
    Failure: a no, or None where `plugins.limits.NAME.onError` is `allow`.
    Example:
        @hookimpl
        async def guard_tool_call(data):
            return Deny("not at night") if data.tool == "create_return" and night() else None
    """


@_hookspec
async def guard_tool_result(
    data: GuardrailInput, settings: PluginSettings, ctx: GuardContext
) -> Deny | Redact | None:
    """Judges each result of a tool, before the model reads it.

    When: in each turn, after the `guardrails.toolResult` of the agent's YAML.
    Data: `data`: `tool`, and the result as JSON in `text`; `settings`; `ctx`.
    Return: `Deny` withholds the result, `Redact` gives another text, None abstains.
    Failure: a no, or None where `plugins.limits.NAME.onError` is `allow`.
    Example:
        @hookimpl
        async def guard_tool_result(data):
            return Deny("it has a card number") if CARD.search(data.text) else None
    """


@_hookspec
async def guard_output(
    data: GuardrailInput, settings: PluginSettings, ctx: GuardContext
) -> Deny | Redact | None:
    """Judges each answer of the model, before the customer reads it.

    When: in each turn, after the `guardrails.output` of the agent's YAML.
    Data: `data`: the answer in `text`; `settings`; `ctx`.
    Return: `Deny` does what `guardrails.onViolation` of the agent says, `Redact` gives another
        text, None abstains.
    Failure: a no, or None where `plugins.limits.NAME.onError` is `allow`.
    Example:
        @hookimpl
        async def guard_output(data):
            return Deny("it promises a refund") if "refund" in data.text else None
    """


@_hookspec
async def on_event(event: TraceEvent, settings: PluginSettings) -> None:
    """Hears of every trace event.

    When: after it was recorded; in order, one at a time for each plugin.
    Data: `event`; `settings`: the plugin's own.
    Return: nothing.
    Failure: logged and counted. Events wait in a queue of `plugins.limits.NAME.queue`; those that
        do not fit are dropped and counted. Turns never wait.
    Example:
        @hookimpl
        async def on_event(event):
            if event.type == "escalation":
                await tell_someone(event.conversation_id)
    """


@_hookspec
async def on_generation_start(generation: GenerationInfo, settings: PluginSettings) -> None:
    """Makes ready what the other hooks of the plugin need.

    When: before a configuration answers its first message; the one before it still serves.
    Data: `generation`; `settings`: the plugin's own.
    Return: nothing.
    Failure: the configuration is rejected (ILK-P108), also if it takes longer than
        `plugins.limits.NAME.timeout`.
    Example:
        @hookimpl
        async def on_generation_start(settings):
            await pool.open(settings.url)
    """


@_hookspec
async def on_generation_stop(generation: GenerationInfo, settings: PluginSettings) -> None:
    """Lets go of what `on_generation_start` made ready.

    When: after the last turn of a configuration that has been replaced, and when the service ends.
    Data: `generation`; `settings`: the plugin's own.
    Return: nothing.
    Failure: logged; it is not waited for longer than `plugins.limits.NAME.timeout`.
    Example:
        @hookimpl
        async def on_generation_stop():
            await pool.close()
    """


@_hookspec
async def on_reload(outcome: ReloadInfo, settings: PluginSettings) -> None:
    """Hears of every attempt to change the configuration.

    When: after it was applied or rejected; the plugins of the active configuration are told.
    Data: `outcome`; `settings`: the plugin's own.
    Return: nothing.
    Failure: logged and counted, as with `on_event`.
    Example:
        @hookimpl
        async def on_reload(outcome):
            if outcome.status == "rejected":
                await tell_someone(outcome.findings)
    """
