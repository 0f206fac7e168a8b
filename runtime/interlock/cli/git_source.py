"""A project's configuration as it is in a git revision, without a checkout."""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from interlock.config.listing import FOLDERS, SETTINGS_FILE
from interlock.config.source import Source
from interlock.config.yaml import MAX_FILE_BYTES
from interlock.diagnostics import Diagnostic, Location
from interlock.errors import InterlockError

__all__ = ["GitFailed", "Revision", "is_repository", "read_revision"]

_LINK, _MODULE = "120000", "160000"
_MOST_LINKS = 8


class GitFailed(InterlockError):
    """Git is missing, or does not have what was asked for."""

    code = "git_failed"


@dataclass(frozen=True, slots=True)
class Revision:
    """What a project was in a commit."""

    commit: str
    """The commit's whole name."""
    source: Source


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object: str
    name: str
    """Relative to the project."""


async def is_repository(project: Path) -> bool:
    """Whether the folder is in a git repository. False where there is no git at all."""
    try:
        code, out, _ = await _git(project, "rev-parse", "--is-inside-work-tree")
    except GitFailed:
        return False
    return code == 0 and out.strip() == b"true"


async def read_revision(project: Path, revision: str) -> Revision:
    """The files that `read_tree` would read if the revision were checked out.

    A link is followed to a file of the project in the same revision; any other is a finding, and
    so is a submodule. Raises `GitFailed`.
    """
    commit = await _commit(project, revision)
    listed = await _require(project, "ls-tree", "-r", "-z", commit, "--", SETTINGS_FILE, *FOLDERS)
    found: list[Diagnostic] = []
    entries = [entry for line in listed.split(b"\0") if line for entry in _read(line, found)]
    blobs = await _blobs(project, [entry for entry in entries if entry.mode != _MODULE])
    files: dict[str, bytes] = {}
    links = {e.name: blobs[e.object].decode(errors="replace") for e in entries if e.mode == _LINK}
    objects = {e.name: e.object for e in entries if e.mode not in (_LINK, _MODULE)}
    for entry in entries:
        name = _follow(entry.name, links)
        if entry.mode == _MODULE:
            message = "the folder is a submodule, whose files are not in this revision"
            found.append(Diagnostic("ILK-R001", message, Location(entry.name)))
        elif name in objects:
            # One byte over the limit, so that an oversized file is seen as such.
            files[entry.name] = blobs[objects[name]][: MAX_FILE_BYTES + 1]
        else:
            message = f"the link leads to '{name}', which is not a file of this revision"
            found.append(Diagnostic("ILK-R002", message, Location(entry.name)))
    return Revision(commit, Source(MappingProxyType(files), tuple(found)))


async def _commit(project: Path, revision: str) -> str:
    options = ("--verify", "--quiet", "--end-of-options")
    code, out, said = await _git(project, "rev-parse", *options, f"{revision}^{{commit}}")
    if code == 0:
        return out.decode().strip()
    if said:
        raise GitFailed(f"git cannot read '{revision}' in '{project}': {_last_line(said)}")
    raise GitFailed(f"there is no git revision '{revision}' in '{project}'")


def _read(line: bytes, found: list[Diagnostic]) -> list[_Entry]:
    about, _, path = line.partition(b"\t")
    mode, _, name_of_object = about.decode().split()
    try:
        name = path.decode()
    except UnicodeDecodeError:
        shown = path.decode(errors="replace")
        found.append(Diagnostic("ILK-Y002", "the file's name is not UTF-8", Location(shown)))
        return []
    if any(map(_is_passed_over, PurePosixPath(name).parts)):
        return []
    return [_Entry(mode, name_of_object, name)]


def _is_passed_over(name: str) -> bool:
    # The same names as in config/listing.py; a test compares both readings of a tree.
    return name.startswith((".", "#")) or name.endswith("~") or name == "__pycache__"


def _follow(name: str, links: Mapping[str, str]) -> str:
    for _ in range(_MOST_LINKS):
        if name not in links:
            break
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), links[name]))
    return name


async def _blobs(project: Path, entries: Sequence[_Entry]) -> Mapping[str, bytes]:
    names = list(dict.fromkeys(entry.object for entry in entries))
    asked = "".join(f"{name}\n" for name in names).encode()
    out = await _require(project, "cat-file", "--batch", asked=asked)
    blobs: dict[str, bytes] = {}
    at = 0
    for name in names:
        end = out.index(b"\n", at)
        *_, kind, size = out[at:end].decode().split()
        if kind != "blob":
            raise GitFailed(f"the repository of '{project}' lacks the object {name}")
        at = end + 1 + int(size) + 1
        blobs[name] = out[end + 1 : at - 1]
    return blobs


async def _require(project: Path, *arguments: str, asked: bytes = b"") -> bytes:
    code, out, said = await _git(project, *arguments, asked=asked)
    if code != 0:
        raise GitFailed(f"git {arguments[0]} failed in '{project}': {_last_line(said)}")
    return out


async def _git(project: Path, *arguments: str, asked: bytes = b"") -> tuple[int, bytes, bytes]:
    """The exit code of a git command, its output and its errors."""
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=project,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise GitFailed("git is not installed, or not on the PATH") from error
    try:
        out, said = await process.communicate(asked)
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, out, said


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it did not say why"
