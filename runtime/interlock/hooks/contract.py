"""What a plugin must keep to so that it is called as its author expects. All faults at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from interlock.diagnostics import Diagnostic, Location, nearest
from interlock.hooks import specs
from interlock.hooks.loading import Found

__all__ = ["API", "HOOKS", "Hook", "check_contract", "check_names"]

API = 1
"""The version of the hooks, which a plugin names as its `interlock_api`."""

_SYNC = ("settings_", "register_", "check_", "resolve_")
_ORDERING = ("wrapper", "hookwrapper", "tryfirst", "trylast")
_DEFINITION = re.compile(rb"\s*(?:async\s+)?def\b")


@dataclass(frozen=True, slots=True)
class Hook:
    """One of the hooks."""

    name: str
    offered: tuple[str, ...]
    """The names of the arguments that an implementation may ask for."""
    sync: bool
    """Whether an implementation must not be `async`."""


def _hooks() -> Iterator[Hook]:
    for name in specs.__all__:
        function = getattr(specs, name)
        if isinstance(function, FunctionType):
            offered = tuple(inspect.signature(function).parameters)
            yield Hook(name, offered, name.startswith(_SYNC))


HOOKS: Mapping[str, Hook] = MappingProxyType({hook.name: hook for hook in _hooks()})
"""Every hook by its name."""


def check_names(plugins: Sequence[Found]) -> Iterator[Diagnostic]:
    """ILK-P107 for each plugin that has the name of one before it."""
    first: dict[str, Found] = {}
    for found in plugins:
        other = first.setdefault(found.name, found)
        if other is not found:
            message = f"there is a plugin '{found.name}' already: {other.path}"
            hint = "rename one of them, or take one away"
            yield Diagnostic("ILK-P107", message, Location(found.path), hint)


def check_contract(found: Found, files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Everything that speaks against calling the plugin's hooks."""
    yield from _check_api(found, files)
    for name, function, options in _functions(found):
        place = _place(found, function, files)
        if options is None:
            if name in HOOKS:
                message = f"{name}() has the name of a hook, but is not marked as one"
                hint = "write @hookimpl above it, or give it another name"
                yield Diagnostic("ILK-P110", message, place, hint)
            continue
        hook = HOOKS.get(options.get("specname") or name)
        if hook is None:
            close = nearest(name, HOOKS)
            hint = f"did you mean '{close}'?" if close else f"hooks are: {', '.join(HOOKS)}"
            yield Diagnostic("ILK-P102", f"there is no hook '{name}'", place, hint)
            continue
        yield from _check_function(hook, function, options, place)


def _check_api(found: Found, files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    declared = getattr(found.plugin, "interlock_api", None)
    if declared == API:
        return
    if declared is None:
        message = f"the plugin '{found.name}' does not say which version of the hooks it is for"
    else:
        message = (
            f"the plugin '{found.name}' is for version {declared!r} of the hooks, this is {API}"
        )
    place = Location(found.path, _line_of(files.get(found.path, b""), b"interlock_api"))
    hint = f"write interlock_api = {API} into it" if declared is None else "take a version for this"
    yield Diagnostic("ILK-P106", message, place, hint)


def _functions(
    found: Found,
) -> Iterator[tuple[str, Callable[..., Any], Mapping[str, Any] | None]]:
    """The plugin's functions, each with how it is marked, if it is."""
    plugin = found.plugin
    own = plugin.__name__ if isinstance(plugin, ModuleType) else None
    for name in dir(plugin):
        if name.startswith("__"):
            continue
        function = inspect.getattr_static(plugin, name, None)
        if not inspect.isroutine(function):
            continue
        function = getattr(plugin, name)
        options = getattr(function, f"{specs.PROJECT}_impl", None)
        if options is None and own is not None and getattr(function, "__module__", None) != own:
            continue  # What it imports from elsewhere is none of its hooks.
        yield name, function, options


def _check_function(
    hook: Hook, function: Callable[..., Any], options: Mapping[str, Any], place: Location
) -> Iterator[Diagnostic]:
    offered = ", ".join(hook.offered) or "nothing"
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            message = f"{hook.name}() takes '*{name}', but is handed only what it names"
            hint = f"name what it needs; offered: {offered}"
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            message = f"{hook.name}() takes '{name}' by position only, but is handed it by name"
            hint = "remove the '/'"
        elif name not in hook.offered and parameter.default is parameter.empty:
            message = f"{hook.name}() asks for '{name}', which this hook does not offer"
            hint = f"offered: {offered}{_field_hint(hook, name)}"
        else:
            continue
        yield Diagnostic("ILK-P103", message, place, hint)
    if hook.sync and inspect.iscoroutinefunction(function):
        message = f"{hook.name}() is async, but this hook is called where nothing can be awaited"
        hint = "write 'def'; do what has to be awaited in on_generation_start"
        yield Diagnostic("ILK-P104", message, place, hint)
    if inspect.isasyncgenfunction(function):
        message = f"{hook.name}() is an async generator, which nobody would go through"
        yield Diagnostic("ILK-P104", message, place, "return what it yields")
    used = [option for option in _ORDERING if options.get(option)]
    if used:
        message = f"{hook.name}() is marked with {used[0]}, which no hook of Interlock knows"
        hint = "write plain @hookimpl: guardrails run in the order of the YAML, then by plugin name"
        yield Diagnostic("ILK-P105", message, place, hint)


def _field_hint(hook: Hook, name: str) -> str:
    """Where the author finds what was asked for, if one of the offered objects has it."""
    for offered, fields in _FIELDS[hook.name].items():
        if name in fields:
            return f"; use {offered}.{name}"
    close = nearest(name, hook.offered)
    return f"; did you mean '{close}'?" if close else ""


def _fields() -> Iterator[tuple[str, Mapping[str, frozenset[str]]]]:
    for name in HOOKS:
        hints = inspect.get_annotations(getattr(specs, name), eval_str=True)
        yield (
            name,
            {
                argument: frozenset(getattr(kind, "__dataclass_fields__", ()))
                for argument, kind in hints.items()
                if argument != "return"
            },
        )


_FIELDS = dict(_fields())


def _place(found: Found, function: Callable[..., Any], files: Mapping[str, bytes]) -> Location:
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return Location(found.path)
    lines = files.get(code.co_filename, b"").splitlines()
    first = code.co_firstlineno
    # The first line of a decorated function is that of its decorator.
    for number in range(first, min(first + 20, len(lines)) + 1):
        if _DEFINITION.match(lines[number - 1]):
            return Location(code.co_filename, number)
    return Location(code.co_filename, first)


def _line_of(content: bytes, word: bytes) -> int:
    lines = content.splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(word)), 1)
