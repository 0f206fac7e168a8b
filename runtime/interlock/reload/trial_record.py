"""What is known on disk of the latest canary, so that a restart does not promote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["TrialRecord", "TrialRecords"]

_NAME = "canary.json"


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """How far a configuration came that was tried."""

    digest: str
    state: Literal["trying", "aborted"]
    reason: str
    """Why it was aborted, or empty."""


class TrialRecords:
    """The record in the folder of the last good configurations. All methods block."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def write(self, record: TrialRecord) -> None:
        """Keeps the record instead of the one before. Raises `OSError`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(
            json.dumps({"digest": record.digest, "state": record.state, "reason": record.reason})
        )
        new.replace(self._path)

    def forget(self) -> None:
        """No canary is known any more. Raises `OSError`."""
        self._path.unlink(missing_ok=True)

    def read(self) -> TrialRecord | None:
        """The record; None if there is none that can be read."""
        try:
            kept = json.loads(self._path.read_bytes())
            record = TrialRecord(kept["digest"], kept["state"], kept["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return record if record.state in ("trying", "aborted") else None
