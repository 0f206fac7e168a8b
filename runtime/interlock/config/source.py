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
from interlock.diagnostics import Diagnostic
from interlock.memo import remembered

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

    All files are of one moment: when something changes meanwhile, they are read again. A link
    that leads out of the project is followed if `reload.followSymlinks` in interlock.yaml says
    so, and is a finding otherwise.
    """
    for _ in range(_ATTEMPTS):
        outside = _wants_links(_read_settings(project))
        listing = list_tree(project, outside=outside)
        source = _read(listing)
        if (
            source is not None
            and _wants_links(source.files.get(SETTINGS_FILE, b"")) == outside
            and list_tree(project, outside=outside) == listing
        ):
            return source
    restless = unreadable(f"{project.name}/", "the files change while they are read")
    return Source(MappingProxyType({}), (restless,))


def _read(listing: Listing) -> Source | None:
    """The bytes of every file; None if one is not as it was listed."""
    files: dict[str, bytes] = {}
    found = list(listing.found)
    for entry in listing.entries:
        try:
            with entry.path.open("rb") as file:
                # One byte over the limit, so that an oversized file is seen as such.
                data = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            found.append(unreadable(entry.name, error.strerror or str(error)))
            continue
        if len(data) != min(entry.size, MAX_FILE_BYTES + 1):
            return None
        files[entry.name] = data
    return Source(MappingProxyType(files), tuple(found))


def _read_settings(project: Path) -> bytes:
    path = project / SETTINGS_FILE
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError:
        # Why it cannot be read is found when all files are.
        return b""


@remembered
def _wants_links(settings: bytes) -> bool:
    documents, _ = parse_yaml(SETTINGS_FILE, settings)
    value = documents[0].value if documents else None
    reload = value.get("reload") if isinstance(value, dict) else None
    return isinstance(reload, dict) and reload.get("followSymlinks") is True
