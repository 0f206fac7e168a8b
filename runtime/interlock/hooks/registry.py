"""The plugins of a source: found, held to the contract, given their settings, and registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pluggy
from pydantic import ValidationError
from pydantic_core import to_json

from interlock.config.placed import Placed
from interlock.config.validate import explain
from interlock.diagnostics import Diagnostic, Location, nearest
from interlock.errors import ConfigError
from interlock.guardrails import GuardrailKind
from interlock.hooks import specs
from interlock.hooks.contract import HOOKS, check_contract, check_names
from interlock.hooks.data import PluginSettings, SinkKind
from interlock.hooks.dispatch import Caller, Implementation
from interlock.hooks.guards import IsolatedGuardrail
from interlock.hooks.loading import BuiltIn, Found, find_plugins
from interlock.hooks.outlet import Outlet
from interlock.hooks.plugins import Member, OpenSink, Plugins, failed_hook
from interlock.hooks.requirement import is_met, parse_requirement
from interlock.model.base import Document
from interlock.model.settings import PluginLimits, Settings
from interlock.model.settings import Plugins as PluginRules
from interlock.turn.guard import Guardrail

__all__ = ["load_plugins", "open_sinks"]

K = TypeVar("K", GuardrailKind, SinkKind)


def load_plugins(
    files: Mapping[str, bytes],
    declared: Placed[Settings] | None,
    *,
    built_in: Iterable[BuiltIn],
) -> tuple[Plugins, list[Diagnostic]]:
    """The plugins of a configuration, and all that is wrong with them.

    Args:
        files: the files of the source.
        declared: interlock.yaml; None if it cannot be read.
        built_in: the plugins that come with Interlock.
    """
    # Without settings nothing runs, so no plugin's code is run to find out what it would say.
    rules = declared.model.plugins if declared is not None else PluginRules(drop_ins=False)
    found, findings = find_plugins(
        files, built_in=built_in, disabled=frozenset(rules.disable), drop_ins=rules.drop_ins
    )
    duplicates = list(check_names(found))
    findings += duplicates
    unique = list({each.name: each for each in reversed(found)}.values())[::-1]
    kept: list[Found] = []
    for each in unique:
        faults = list(check_contract(each, files))
        findings += faults
        if not faults:
            kept.append(each)
    collection = _Collection(findings)
    # Made anew for each generation: what is registered with one is not seen by another.
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    members = []
    for each in kept:
        limits = rules.limits.get(each.name, PluginLimits())
        member = _register(manager, each, declared, limits, findings)
        if member is not None:
            members.append(member)
            collection.add(member)
    complete = not any(each.severity == "error" for each in findings)
    if declared is not None:
        _check_rules(declared, found, files, findings)
    plugins = Plugins(
        members,
        guardrails=collection.guardrails,
        sinks=collection.sinks,
        sink_owners=collection.sink_owners,
        complete=complete,
    )
    return plugins, findings


def open_sinks(plugins: Plugins, declared: Placed[Settings]) -> list[Diagnostic]:
    """Adds the sinks of interlock.yaml to the plugins; what is wrong with them."""
    findings: list[Diagnostic] = []
    for index, use in enumerate(declared.model.sinks):
        kind = plugins.sinks.get(use.use)
        if kind is None:
            if plugins.complete:
                close = nearest(use.use, plugins.sinks)
                known = ", ".join(sorted(plugins.sinks))
                hint = f"did you mean '{close}'?" if close else f"known are: {known}"
                message, at = f"there is no sink '{use.use}'", ("sinks", index, "use")
                findings.append(declared.finding("ILK-C006", message, at, hint=hint))
            continue
        settings = _validated(
            kind.settings, use.with_, declared, ("sinks", index, "with"), findings
        )
        if settings is None:
            continue
        owner = plugins.sink_owners[use.use]
        limits = declared.model.plugins.limits.get(owner.name, PluginLimits())
        try:
            sink = kind.build(settings)
        except Exception as error:
            # The boundary of a plugin: whoever reads the findings hears of it.
            findings.append(failed_hook(owner.found, f"sink {use.use}", error))
            continue
        caller = _caller(f"sink {use.use} [{index}]", limits)
        plugins.add_sink(OpenSink(sink, caller, Outlet(caller, most=limits.queue)))
    return findings


def _register(
    manager: pluggy.PluginManager,
    found: Found,
    declared: Placed[Settings] | None,
    limits: PluginLimits,
    findings: list[Diagnostic],
) -> Member | None:
    hooks = _implementations(manager, found)
    settings = _settings(found, hooks, declared, findings)
    if settings is None:
        return None
    caller = _caller(found.name, limits)
    outlet = Outlet(caller, most=limits.queue)
    return Member(found, hooks, settings, caller, outlet, limits.on_error)


def _caller(name: str, limits: PluginLimits) -> Caller:
    seconds = limits.timeout.total_seconds()
    return Caller(name, timeout_seconds=seconds, max_stuck=limits.max_stuck)


def _implementations(manager: pluggy.PluginManager, found: Found) -> dict[str, Implementation]:
    """The plugin's implementations as pluggy sees them, by hook."""
    manager.register(found.plugin, found.name)
    return {
        name: Implementation.of(name, implementation.function)
        for name in HOOKS
        for implementation in getattr(manager.hook, name).get_hookimpls()
        if implementation.plugin_name == found.name
    }


def _settings(
    found: Found,
    hooks: Mapping[str, Implementation],
    declared: Placed[Settings] | None,
    findings: list[Diagnostic],
) -> Document | None:
    model: type[Document] = PluginSettings
    hook = hooks.get("settings_model")
    if hook is not None:
        try:
            given = hook.function()
            if given is not None and not _is_model(given):
                raise TypeError(f"it gave {given!r}, which is no subclass of PluginSettings")
        except Exception as error:
            # The boundary of a hook: whoever reads the findings hears of it.
            findings.append(failed_hook(found, hook.hook, error))
            return None
        model = given or model
    if declared is None:
        return PluginSettings()
    values = declared.model.plugins.settings.get(found.name, {})
    return _validated(model, values, declared, ("plugins", "settings", found.name), findings)


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, PluginSettings)


def _validated(
    model: type[Document],
    values: Mapping[str, Any],
    declared: Placed[Settings],
    at: tuple[str | int, ...],
    findings: list[Diagnostic],
) -> Document | None:
    try:
        return model.model_validate_json(to_json(values), by_alias=True, by_name=False)
    except ValidationError as error:
        findings.extend(explain(model, declared.document, error, at=at))
        return None


def _check_rules(
    declared: Placed[Settings],
    found: Iterable[Found],
    files: Mapping[str, bytes],
    findings: list[Diagnostic],
) -> None:
    """What `plugins:` says of plugins that are not there, or not as they must be."""
    rules, versions = declared.model.plugins, {each.name: each.version for each in found}
    for index, text in enumerate(rules.required):
        name, least = parse_requirement(text)
        at = ("plugins", "required", index)
        if name not in versions:
            problem, hint = "is not there", f"install it, or put it into plugins/{name}.py"
            if f"plugins/{name}.py" in files:
                hint = f"plugins/{name}.py is only a plugin with: from interlock import hookimpl"
            if name in rules.disable:
                problem, hint = "is disabled", "remove it from plugins.disable"
        elif least is not None and not is_met(least, versions[name]):
            problem = f"has the version {versions[name] or '(none)'}, and {least} is needed"
            hint = f"install a later one; a drop-in says its own: __version__ = '{least}'"
        else:
            continue
        message = f"the required plugin '{name}' {problem}"
        findings.append(declared.finding("ILK-P109", message, at, hint=hint))
    for key, named in (("settings", rules.settings), ("limits", rules.limits)):
        for name in named:
            if name in versions or name in rules.disable or _failed(name, findings):
                continue
            close = nearest(name, versions)
            hint = f"did you mean '{close}'?" if close else "see them with: interlock plugins list"
            message = f"there is no plugin '{name}'"
            findings.append(
                declared.finding("ILK-C006", message, ("plugins", key, name), hint=hint)
            )


def _failed(name: str, findings: Iterable[Diagnostic]) -> bool:
    """Whether a plugin is there but could not be loaded, so that it is not also unknown."""
    return any(each.code == "ILK-P101" and f"'{name}'" in each.message for each in findings)


@dataclass(slots=True)
class _Collection:
    """What the plugins register, by name."""

    findings: list[Diagnostic]
    guardrails: dict[str, GuardrailKind] = field(default_factory=dict)
    sinks: dict[str, SinkKind] = field(default_factory=dict)
    sink_owners: dict[str, Member] = field(default_factory=dict)
    _owners: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, member: Member) -> None:
        """Adds what the plugin registers."""
        for name, kind in self._collect(member, "register_guardrails", GuardrailKind):
            isolated = kind if member.found.origin == "built-in" else _isolated(member, name, kind)
            self.guardrails[name] = isolated
        for name, sink in self._collect(member, "register_sinks", SinkKind):
            self.sinks[name], self.sink_owners[name] = sink, member

    def _collect(self, member: Member, hook: str, wanted: type[K]) -> list[tuple[str, K]]:
        implementation = member.hooks.get(hook)
        if implementation is None:
            return []
        try:
            given = dict(implementation.bind(settings=member.settings)() or {})
            for name, kind in given.items():
                if not isinstance(kind, wanted) or not isinstance(name, str):
                    problem = f"{name!r}: it gave {type(kind).__name__}, not {wanted.__name__}"
                    raise TypeError(problem)
        except Exception as error:
            # The boundary of a hook: whoever reads the findings hears of it.
            self.findings.append(failed_hook(member.found, hook, error))
            return []
        return [(name, kind) for name, kind in given.items() if self._is_new(member, hook, name)]

    def _is_new(self, member: Member, hook: str, name: str) -> bool:
        owner = self._owners.setdefault((hook, name), member.name)
        if owner == member.name:
            return True
        what = hook.removeprefix("register_").removesuffix("s")
        message = f"the plugin '{member.name}' registers the {what} '{name}', as '{owner}' does"
        hint = "give one of them another name, or disable one of the plugins"
        self.findings.append(Diagnostic("ILK-P111", message, Location(member.found.path), hint))
        return False


def _isolated(member: Member, name: str, kind: GuardrailKind) -> GuardrailKind:
    build: Callable[[Any], Guardrail] = kind.build

    def build_isolated(settings: Any) -> Guardrail:
        try:
            guardrail = build(settings)
        except Exception as error:
            # The boundary of a plugin: whoever reads the findings hears of it.
            raise ConfigError([failed_hook(member.found, f"guardrail {name}", error)]) from error
        return IsolatedGuardrail(member.caller, name, guardrail, on_error=member.on_error)

    return replace(kind, build=build_isolated)
