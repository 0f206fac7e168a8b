"""Finding the Python function of a tool: in the snapshot's own files, or in a package."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import linecache
import secrets
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

from interlock.diagnostics import nearest
from interlock.errors import ToolDefinitionError
from interlock.model.tool import Tool

__all__ = ["FunctionLoader", "PluginFunction"]

_KEY = "python.function"
_KEY_PARAMETER = "idempotency_key"


@dataclass(frozen=True, slots=True)
class PluginFunction:
    """A function that carries a tool out."""

    call: Callable[..., Any]
    is_async: bool
    takes_key: bool
    """Whether it has a parameter `idempotency_key`, beside the tool's inputs."""


class FunctionLoader:
    """Loads the functions of one generation; tools that name the same file share its module.

    A project file is compiled from the snapshot's bytes, never imported from the disk: Python's
    cache takes an edit of the same size in the same second for no edit at all.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._modules: dict[str, ModuleType] = {}
        # Two generations of the same bytes must not share a module, nor forget each other's.
        self._suffix = secrets.token_hex(4)

    def load(self, tool: Tool, reference: str) -> PluginFunction:
        """The function that `reference` names. Raises `ToolDefinitionError`."""
        place, _, name = reference.rpartition(":")
        found = _find(tool.name, place, self._module(tool.name, place), name)
        if not callable(found):
            raise ToolDefinitionError(
                tool.name, _KEY, f"'{name}' in {place} is not a function; name one"
            )
        takes_key = _check_parameters(tool, name, found)
        is_async = inspect.iscoroutinefunction(found)
        return PluginFunction(found, is_async=is_async, takes_key=takes_key)

    def forget(self) -> None:
        """Takes the loaded files out of `sys.modules`, so that old generations can be freed."""
        for module in self._modules.values():
            sys.modules.pop(module.__name__, None)

    def _module(self, tool: str, place: str) -> ModuleType:
        found = self._modules.get(place)
        if found is not None:
            return found
        if not place.endswith(".py"):
            return _import(tool, place)
        content = self._files.get(place)
        if content is None:
            close = nearest(place, (path for path in self._files if path.endswith(".py")))
            hint = f"did you mean '{close}'?" if close else "put it into the project's plugins/"
            raise ToolDefinitionError(tool, _KEY, f"there is no file {place}; {hint}")
        module = self._modules[place] = _execute(tool, place, content, self._suffix)
        return module


def _find(tool: str, place: str, module: ModuleType, name: str) -> Any:
    """What `name`, an attribute of the module or of an object in it, stands for."""
    found: Any = module
    for part in name.split("."):
        holder, found = found, getattr(found, part, None)
        if found is None:
            close = nearest(part, (known for known in dir(holder) if not known.startswith("_")))
            hint = f"did you mean '{close}'?" if close else "define it there, or correct the name"
            raise ToolDefinitionError(tool, _KEY, f"{place} has no '{part}'; {hint}")
    return found


def _import(tool: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        # A foreign module may raise anything; whoever reads the finding hears about it.
        hint = "install the package that holds it, or correct the name"
        problem = f"cannot import {name}: {type(error).__name__}: {error}; {hint}"
        raise ToolDefinitionError(tool, _KEY, problem) from error


def _execute(tool: str, path: str, content: bytes, suffix: str) -> ModuleType:
    digest = hashlib.sha256(content).hexdigest()[:16]
    module = ModuleType(f"interlock_plugin_{PurePosixPath(path).stem}_{digest}_{suffix}")
    module.__file__ = path
    # Dataclasses and annotations look their module up by name.
    sys.modules[module.__name__] = module
    try:
        exec(compile(content, path, "exec", dont_inherit=True), vars(module))
    except (Exception, SystemExit) as error:
        # A plugin may raise anything; whoever reads the finding hears about it.
        del sys.modules[module.__name__]
        at = _line(error, path)
        problem = f"{at}: {type(error).__name__}: {_message(error)}; correct the file"
        raise ToolDefinitionError(tool, _KEY, problem) from error
    # A traceback then shows the lines that run, whatever the file on the disk says by now.
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[path] = (len(content), None, lines, path)
    return module


def _line(error: BaseException, path: str) -> str:
    """The file and the line in it where the error arose, as far as that is known."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"{path}:{error.lineno}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == path
    ]
    return f"{path}:{lines[-1]}" if lines else path


def _message(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _check_parameters(tool: Tool, name: str, function: Callable[..., Any]) -> bool:
    """Finds now what would be a `TypeError` in every call; whether the key can be handed in."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        # Some functions written in C do not tell.
        return False
    properties = tool.input.get("properties")
    inputs = {*(properties if isinstance(properties, dict) else ()), *tool.bind}
    named = {
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    unknown = sorted(inputs - named)
    if unknown and not takes_any:
        problem = f"{name}() has no parameter '{unknown[0]}', which is an input; add it"
        raise ToolDefinitionError(tool.name, _KEY, problem)
    for parameter in parameters:
        if parameter.default is not parameter.empty or parameter.kind in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        ):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            problem = f"{name}() must take '{parameter.name}' by keyword; remove the '/'"
            raise ToolDefinitionError(tool.name, _KEY, problem)
        if parameter.name not in inputs and parameter.name != _KEY_PARAMETER:
            way_out = "declare it in input.properties, bind it, or give it a default"
            problem = f"{name}() needs '{parameter.name}', which is no input; {way_out}"
            raise ToolDefinitionError(tool.name, _KEY, problem)
    return _KEY_PARAMETER in named - inputs
