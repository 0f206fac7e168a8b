"""The record of a configuration that became active, and who wants to have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from interlock.reload.outcome import Trigger

__all__ = ["Activation", "History"]


@dataclass(frozen=True, slots=True)
class Activation:
    """A configuration became the one that new turns run on."""

    digest: str
    previous: str | None
    """Digest of the one before it; None for the first of a process."""
    at: datetime
    trigger: Trigger
    who: str | None
    """Who asked for it, as far as that is known."""
    why: str | None
    files: Mapping[str, bytes]


class History(Protocol):
    """Keeps activations. A failure is logged, and changes nothing about the activation."""

    async def activated(self, record: Activation) -> None:
        """Called after each activation, the first one of a process included."""
        ...
