"""Which files make up a project, where links lead, and whether anything has moved since."""

from __future__ import annotations

import stat
from collections.abc import Iterator
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
    size: int
    stamp: tuple[int, ...]
    """Differs when the file was replaced or written to."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All files in order, and what stands in the way of others. Equal if nothing has moved."""

    entries: tuple[Entry, ...]
    found: tuple[Diagnostic, ...]


def list_tree(project: Path, *, outside: bool) -> Listing:
    """The files of a project.

    Links are followed; one that leads out of the project is a finding unless `outside` is wanted.
    """
    try:
        walk = _Walk(project, outside=outside)
        for name in (SETTINGS_FILE, *FOLDERS):
            if _is_there(project / name):
                walk.visit(project / name, within=())
    except (OSError, RuntimeError) as error:
        return Listing((), (unreadable("./", _reason(error)),))
    return Listing(tuple(walk.entries), tuple(walk.found))


def unreadable(name: str, reason: str) -> Diagnostic:
    """The finding for a file that may well be readable in a moment."""
    return Diagnostic("ILK-R001", f"the file cannot be read: {reason}", Location(name))


class _Walk:
    def __init__(self, project: Path, *, outside: bool) -> None:
        self.entries: list[Entry] = []
        self.found: list[Diagnostic] = []
        self._project = project
        self._root = project.resolve()
        self._outside = outside

    def visit(self, path: Path, *, within: tuple[Path, ...]) -> None:
        """Adds a file, or all files of a folder; `within` are the folders that it stands in."""
        name = path.relative_to(self._project).as_posix()
        if not _is_unicode(name):
            shown = name.encode(errors="replace").decode()
            message = "the file's name is not UTF-8"
            self.found.append(Diagnostic("ILK-Y002", message, Location(shown)))
            return
        try:
            if not self._outside and path.is_symlink() and not self._is_inside(path):
                message = "it is a link to a place outside of the project"
                hint = "put what it leads to into the project, or set reload.followSymlinks: true"
                self.found.append(Diagnostic("ILK-R002", message, Location(name), hint))
                return
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
                self.entries.append(Entry(name, path, status.st_size, stamp))
                self.found += _writable_code(name, status.st_mode, status.st_uid, status.st_gid)
            elif name == SETTINGS_FILE:
                self.found.append(unreadable(name, "it is something else"))
            elif stat.S_ISDIR(status.st_mode):
                self._visit_folder(path, within=within)
            # Anything else, such as a pipe, might have to be waited for.
        except (OSError, RuntimeError) as error:
            self.found.append(unreadable(name, _reason(error)))

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._root)

    def _visit_folder(self, path: Path, *, within: tuple[Path, ...]) -> None:
        here = path.resolve()
        if here in within:
            return
        for child in sorted(path.iterdir()):
            if not _is_passed_over(child.name):
                self.visit(child, within=(*within, here))


def _writable_code(name: str, mode: int, uid: int, gid: int) -> Iterator[Diagnostic]:
    """ILK-R008 for code that others than its owner may change."""
    if not name.endswith(".py"):
        return
    hint = f"take the right away: chmod go-w {name}"
    if mode & stat.S_IWOTH:
        message = "everybody on this machine may change this code, which runs with our rights"
        yield Diagnostic("ILK-R008", message, Location(name), hint)
    elif mode & stat.S_IWGRP and gid != uid:
        message = f"the group {gid} may change this code, which runs with our rights"
        yield Diagnostic("ILK-R008", message, Location(name), hint, "warning")


def _reason(error: Exception) -> str:
    # RuntimeError is what pathlib makes of links that go round in circles.
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or str(error)


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
