"""Which files make up a project, where links lead, and whether anything has moved since."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from interlock.diagnostics import Diagnostic, Location

__all__ = ["FOLDERS", "SETTINGS_FILE", "Entry", "Listing", "list_tree", "unreadable"]

SETTINGS_FILE = "interlock.yaml"
FOLDERS = ("agents.d", "tools.d", "plugins")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as it was found."""

    name: str
    """Relative to the project, with slashes."""
    path: Path
    outside: bool
    """Whether it lies behind a link that leads out of the project."""
    size: int
    stamp: tuple[int, ...]
    """Differs when the file was replaced or written to."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All files in order, and what stands in the way of others. Equal if nothing has moved."""

    entries: tuple[Entry, ...]
    found: tuple[Diagnostic, ...]


def list_tree(project: Path) -> Listing:
    """The files of a project. Links are followed, also those that lead out of it."""
    walk = _Walk(project)
    if _is_there(project / SETTINGS_FILE):
        walk.visit(project / SETTINGS_FILE, inside=True, within=())
    for folder in FOLDERS:
        if _is_there(project / folder):
            walk.visit(project / folder, inside=True, within=())
    return Listing(tuple(walk.entries), tuple(walk.found))


def unreadable(name: str, reason: str) -> Diagnostic:
    """The finding for a file that may well be readable in a moment."""
    return Diagnostic("ILK-R001", f"the file cannot be read: {reason}", Location(name))


class _Walk:
    def __init__(self, project: Path) -> None:
        self.entries: list[Entry] = []
        self.found: list[Diagnostic] = []
        self._project = project
        self._root = project.resolve()

    def visit(self, path: Path, *, inside: bool, within: tuple[Path, ...]) -> None:
        """Adds a file, or all files of a folder; `within` are the folders that it stands in."""
        name = path.relative_to(self._project).as_posix()
        if not _is_unicode(name):
            shown = name.encode(errors="replace").decode()
            message = "the file's name is not UTF-8"
            self.found.append(Diagnostic("ILK-Y002", message, Location(shown)))
            return
        try:
            if path.is_symlink():
                inside = path.resolve().is_relative_to(self._root)
            status = path.stat()
            if stat.S_ISDIR(status.st_mode) and name != SETTINGS_FILE:
                self._visit_folder(path, inside=inside, within=within)
            elif stat.S_ISREG(status.st_mode) or name == SETTINGS_FILE:
                # Anything else, such as a pipe, would have to be waited for.
                stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
                self.entries.append(Entry(name, path, not inside, status.st_size, stamp))
        except (OSError, RuntimeError) as error:
            # RuntimeError is what pathlib makes of links that go round in circles.
            reason = error.strerror if isinstance(error, OSError) else None
            self.found.append(unreadable(name, reason or str(error)))

    def _visit_folder(self, path: Path, *, inside: bool, within: tuple[Path, ...]) -> None:
        here = path.resolve()
        if here in within:
            return
        for child in sorted(path.iterdir()):
            if not _is_passed_over(child.name):
                self.visit(child, inside=inside, within=(*within, here))


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _is_passed_over(name: str) -> bool:
    """Hidden files, among them a ConfigMap's own; what editors and Python leave behind."""
    return name.startswith((".", "#")) or name.endswith("~") or name == "__pycache__"


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
