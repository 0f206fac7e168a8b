"""Finding plugins: files in the project's `plugins/`, installed packages, and our own."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import linecache
import secrets
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import ModuleType
from typing import Literal

from interlock.diagnostics import Diagnostic
from interlock.hooks.blame import blame
from interlock.hooks.specs import PROJECT

__all__ = ["BuiltIn", "Found", "Origin", "execute", "find_plugins", "is_plugin"]

FOLDER = "plugins"
Origin = Literal["built-in", "package", "drop-in"]

_MARKS = (b"hookimpl", b"interlock_api")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A plugin that comes with Interlock."""

    name: str
    plugin: object


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that could be loaded; whether it keeps the contract is not known yet."""

    name: str
    plugin: object
    origin: Origin
    version: str | None
    path: str
    """The file that it was loaded from, relative to the project for a drop-in."""
    digest: str | None = None
    """Of a drop-in: the beginning of its content's SHA-256."""

    def __str__(self) -> str:
        about = [self.path]
        if self.version is not None:
            about.append(self.version)
        if self.digest is not None:
            about.append(f"sha {self.digest[:6]}")
        return f"plugin '{self.name}' ({', '.join(about)})"


def find_plugins(
    files: Mapping[str, bytes],
    *,
    built_in: Iterable[BuiltIn],
    disabled: Collection[str],
    drop_ins: bool,
) -> tuple[list[Found], list[Diagnostic]]:
    """The plugins that can be loaded, and why others cannot. Runs the code of all of them."""
    plugins = [
        Found(
            each.name,
            each.plugin,
            "built-in",
            importlib.metadata.version("interlock-runtime"),
            each.name,
        )
        for each in built_in
        if each.name not in disabled
    ]
    findings: list[Diagnostic] = []
    for loaded in (*_packages(disabled), *(_drop_ins(files, disabled) if drop_ins else ())):
        if isinstance(loaded, Found):
            plugins.append(loaded)
        else:
            findings.append(loaded)
    return plugins, findings


def is_plugin(path: str, content: bytes) -> bool:
    """Whether a file is meant as a plugin, and not only as a place for the functions of tools.

    That is so if it imports `hookimpl` or says which `interlock_api` it was written for. Nothing
    is run to find that out.
    """
    place = PurePosixPath(path)
    if place.parent.as_posix() != FOLDER or place.suffix != ".py":
        return False
    if not any(mark in content for mark in _MARKS):
        return False
    try:
        tree = ast.parse(content, path)
    except (SyntaxError, ValueError):
        # That it cannot be read is found when it is loaded.
        return True
    return any(_marks(node) for node in ast.walk(tree))


def _marks(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(names=names):
            return any(each.name == "hookimpl" for each in names)
        case ast.Attribute(attr="hookimpl"):
            return True
        case ast.Assign(targets=[ast.Name(id="interlock_api")]):
            return True
        case ast.AnnAssign(target=ast.Name(id="interlock_api")):
            return True
    return False


def execute(path: str, content: bytes, *, suffix: str = "") -> ModuleType:
    """The module of a file, made from these bytes and no others. Raises whatever the file raises.

    Python's own cache takes an edit of the same size in the same second for no edit at all. Who
    calls it takes the module out of `sys.modules` when it is no longer needed.
    """
    digest = hashlib.sha256(content).hexdigest()[:16]
    module = ModuleType(f"interlock_hooks_{PurePosixPath(path).stem}_{digest}{suffix}")
    module.__file__ = path
    # A traceback then shows the lines that run, whatever the file on the disk says by now.
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[path] = (len(content), None, lines, path)
    # Dataclasses and annotations look their module up by name.
    sys.modules[module.__name__] = module
    try:
        exec(compile(content, path, "exec", dont_inherit=True), vars(module))
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _drop_ins(
    files: Mapping[str, bytes], disabled: Collection[str]
) -> Iterator[Found | Diagnostic]:
    # Two generations of the same bytes must not share a module, nor forget each other's.
    suffix = f"_{secrets.token_hex(4)}"
    for path, content in sorted(files.items()):
        name = PurePosixPath(path).stem
        if name in disabled or not is_plugin(path, content):
            continue
        digest = hashlib.sha256(content).hexdigest()[:12]
        try:
            module = execute(path, content, suffix=suffix)
        except (Exception, SystemExit) as error:
            # A plugin may raise anything; whoever reads the finding hears about it.
            yield _failure(name, error, path)
            continue
        yield Found(name, module, "drop-in", _version(module), path, digest)


def _packages(disabled: Collection[str]) -> Iterator[Found | Diagnostic]:
    for entry in sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda each: each.name):
        if entry.name in disabled:
            continue
        version = entry.dist.version if entry.dist is not None else None
        try:
            plugin = entry.load()
        except (Exception, SystemExit) as error:
            # A package may raise anything; whoever reads the finding hears about it.
            yield _failure(entry.name, error, entry.value)
            continue
        yield Found(entry.name, plugin, "package", version, _file(plugin) or entry.value)


def _failure(name: str, error: BaseException, path: str) -> Diagnostic:
    found = blame(error, path)
    hint = f"correct it, or add '{name}' to plugins.disable in interlock.yaml"
    message = f"the plugin '{name}' cannot be loaded: {found.text}"
    return Diagnostic("ILK-P101", message, found.place, hint)


def _version(plugin: object) -> str | None:
    found = getattr(plugin, "__version__", None)
    return found if isinstance(found, str) else None


def _file(plugin: object) -> str | None:
    module = plugin if isinstance(plugin, ModuleType) else sys.modules.get(type(plugin).__module__)
    return getattr(module, "__file__", None)
