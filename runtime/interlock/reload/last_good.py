"""The configurations that were active lately, on disk: what the service can start from again."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from interlock.config.source import Source
from interlock.errors import StoreError
from interlock.model.settings import Settings
from interlock.reload.generation import resolve
from interlock.store.sqlite import database_path

__all__ = ["LastGood", "Saved", "state_folder"]

_KEPT = 5
_NAME = "last-good"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Saved:
    """A configuration that was kept."""

    source: Source
    at: datetime
    """When it was kept."""
    path: Path


class LastGood:
    """A folder with the last configurations, one file each. All methods block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, source: Source) -> None:
        """Keeps a configuration as the newest one, whole or not at all. Raises `OSError`."""
        files = self._files()
        newest = self._read(files[-1]) if files else None
        if newest is not None and newest.source.digest == source.digest:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        number = int(files[-1].name[:8]) + 1 if files else 1
        document = {
            "digest": source.digest,
            "savedAt": datetime.now(UTC).isoformat(),
            "files": {path: base64.b64encode(data).decode() for path, data in source.files.items()},
        }
        path = self.folder / f"{number:08}-{source.digest[:12]}.json"
        # Only the owner may read it, as is NamedTemporaryFile's way.
        with NamedTemporaryFile("w", dir=self.folder, prefix=".", delete=False) as file:
            try:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _sync_folder(self.folder)
        for old in files[: max(0, len(files) + 1 - _KEPT)]:
            old.unlink(missing_ok=True)

    def newest(self) -> Saved | None:
        """The newest configuration that is whole; None if there is none."""
        for path in reversed(self._files()):
            saved = self._read(path)
            if saved is not None:
                return saved
            _LOG.warning("%s is damaged and passed over", path)
        return None

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]" * 8 + "-*.json"))

    def _read(self, path: Path) -> Saved | None:
        try:
            document = json.loads(path.read_bytes())
            source = Source(
                {name: base64.b64decode(data) for name, data in document["files"].items()}
            )
            at = datetime.fromisoformat(document["savedAt"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            return None
        return Saved(source, at, path) if source.digest == document["digest"] else None


def state_folder(project: Path, settings: Settings | None, environment: Mapping[str, str]) -> Path:
    """Where a project's last good configurations are.

    `reload.stateDir` if it is set, or a folder beside the store's file. Without `settings`, as
    interlock.yaml is broken, where they are by default.
    """
    if settings is not None and settings.reload.state_dir is not None:
        return project / settings.reload.state_dir
    if settings is not None:
        try:
            url = resolve(settings.store.url, environment)
            return database_path(url, project=project).parent / _NAME
        except StoreError:
            # A store that is no file.
            pass
    return project / "var" / _NAME


def _sync_folder(folder: Path) -> None:
    """Makes the new name survive a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
