"""Reading a project directory once, into immutable bytes with a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from interlock.config.yaml import MAX_FILE_BYTES
from interlock.diagnostics import Diagnostic, Location

__all__ = ["SETTINGS_FILE", "Source", "read_tree"]

SETTINGS_FILE = "interlock.yaml"
_FOLDERS = ("agents.d", "tools.d", "plugins")


@dataclass(frozen=True)
class Source:
    """The bytes of a configuration by project-relative path, and what could not be read."""

    files: Mapping[str, bytes]
    found: tuple[Diagnostic, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The content's name: a SHA-256 over all paths and bytes, as 64 hexadecimal digits."""
        total = hashlib.sha256()
        for path, data in sorted(self.files.items()):
            total.update(f"{len(path.encode())}:{path}:{len(data)}:".encode())
            total.update(data)
        return total.hexdigest()

    def under(self, folder: str) -> list[str]:
        """The YAML files below `folder`, sorted."""
        start = f"{folder}/"
        return sorted(
            path
            for path in self.files
            if path.startswith(start) and path.endswith((".yaml", ".yml"))
        )


def read_tree(project: Path) -> Source:
    """Reads everything that is part of the configuration. Blocks: call it off the event loop."""
    files: dict[str, bytes] = {}
    found: list[Diagnostic] = []
    for path in _paths(project):
        name = path.relative_to(project).as_posix()
        try:
            with path.open("rb") as file:
                # One byte over the limit, so that an oversized file is seen as such.
                files[name] = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"the file cannot be read: {reason}"
            found.append(Diagnostic("ILK-C004", message, Location(name)))
    return Source(MappingProxyType(files), tuple(found))


def _paths(project: Path) -> list[Path]:
    paths = [project / SETTINGS_FILE] if (project / SETTINGS_FILE).exists() else []
    for folder in _FOLDERS:
        for path in sorted((project / folder).rglob("*")):
            parts = path.relative_to(project).parts
            if any(part.startswith(".") or part == "__pycache__" for part in parts):
                continue
            if path.name.endswith("~") or not path.is_file():
                continue
            paths.append(path)
    return paths
