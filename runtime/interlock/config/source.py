"""Reading a project directory once, into immutable bytes with a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from interlock.config.listing import SETTINGS_FILE, Listing, list_tree, unreadable
from interlock.config.yaml import MAX_FILE_BYTES, parse_yaml
from interlock.diagnostics import Diagnostic, Location

__all__ = ["SETTINGS_FILE", "Source", "read_tree"]

_ATTEMPTS = 5


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

    @cached_property
    def fingerprint(self) -> str:
        """Differs when anything does: the content, or what could not be read of it."""
        if not self.found:
            return self.digest
        text = "\n".join([self.digest, *map(str, self.found)])
        return hashlib.sha256(text.encode()).hexdigest()

    def under(self, folder: str) -> list[str]:
        """The YAML files below `folder`, sorted."""
        start = f"{folder}/"
        return sorted(
            path
            for path in self.files
            if path.startswith(start) and path.endswith((".yaml", ".yml"))
        )


def read_tree(project: Path) -> Source:
    """Reads everything that is part of the configuration. Blocks: call it off the event loop.

    All files are of one moment: when something changes meanwhile, they are read again. A file
    behind a link that leads out of the project is read if `reload.followSymlinks` in
    interlock.yaml says so, and is a finding otherwise.
    """
    for _ in range(_ATTEMPTS):
        listing = list_tree(project)
        files, found = _read(listing)
        if files is not None and list_tree(project) == listing:
            return _admit(listing, files, found)
    restless = unreadable(f"{project.name}/", "the files change while they are read")
    return Source(MappingProxyType({}), (restless,))


def _read(listing: Listing) -> tuple[dict[str, bytes] | None, list[Diagnostic]]:
    """The bytes of every file; None if one is not as it was listed."""
    files: dict[str, bytes] = {}
    found = list(listing.found)
    for entry in listing.entries:
        try:
            with entry.path.open("rb") as file:
                # One byte over the limit, so that an oversized file is seen as such.
                data = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None, found
        except OSError as error:
            found.append(unreadable(entry.name, error.strerror or str(error)))
            continue
        if len(data) != min(entry.size, MAX_FILE_BYTES + 1):
            return None, found
        files[entry.name] = data
    return files, found


def _admit(listing: Listing, files: dict[str, bytes], found: list[Diagnostic]) -> Source:
    """Leaves out what lies outside of the project, unless the settings want it."""
    outside = [entry.name for entry in listing.entries if entry.outside and entry.name in files]
    if outside and not _wants_links(files):
        for name in outside:
            del files[name]
            message = "the file is a link to a place outside of the project"
            hint = "put the file into the project, or set reload.followSymlinks: true"
            found.append(Diagnostic("ILK-R002", message, Location(name), hint))
    return Source(MappingProxyType(files), tuple(found))


def _wants_links(files: Mapping[str, bytes]) -> bool:
    documents, _ = parse_yaml(SETTINGS_FILE, files.get(SETTINGS_FILE, b""))
    settings = documents[0].value if documents else None
    reload = settings.get("reload") if isinstance(settings, dict) else None
    return isinstance(reload, dict) and reload.get("followSymlinks") is True
