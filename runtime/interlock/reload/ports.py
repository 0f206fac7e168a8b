"""What a supervisor works with, and who hears of what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from interlock.config.snapshot import Snapshot
from interlock.diagnostics import Diagnostic
from interlock.reload.outcome import ReloadOutcome, Trigger

__all__ = ["Allowed", "Observer", "SnapshotStore", "allow_all"]

Allowed = Callable[[Snapshot], Iterable[Diagnostic]]
"""What speaks against a valid snapshot in the service as it runs."""


def allow_all(snapshot: Snapshot) -> Iterable[Diagnostic]:
    """Nothing speaks against it."""
    return ()


class SnapshotStore(Protocol):
    """Where turns find the snapshot that they ran on."""

    async def save_snapshot(self, digest: str, files: Mapping[str, bytes]) -> None:
        """Keeps a configuration's files. Raises `StoreError`."""
        ...


class Observer(Protocol):
    """Hears of everything that happens to the configuration. Must not raise."""

    def attempted(self, outcome: ReloadOutcome, trigger: Trigger) -> None:
        """Called after each attempt to change it."""
        ...

    def missed(self) -> None:
        """Called when a change was found that had not been announced."""
        ...
