"""A generation in use, with the turns that run on it."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

from interlock.reload.generation import Generation

__all__ = ["PINNED", "Held"]

PINNED: ContextVar[int | None] = ContextVar("generation", default=None)
"""Number of the generation that the turn of this task runs on."""

_LOG = logging.getLogger(__name__)


class Held:
    """A generation and the turns that run on it."""

    def __init__(self, number: int, generation: Generation) -> None:
        self.number = number
        """Counts from 1 within the process."""
        self.generation = generation
        self.since = datetime.now(UTC)
        """When it became the active one, or began to be tried."""
        self.replaced_at: datetime | None = None
        self.expired = False
        """Whether its turns have been cancelled, as they outlasted the time they were given."""
        self.pinned: set[asyncio.Task[object]] = set()
        """The turns that run on it."""
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def digest(self) -> str:
        """The snapshot's digest."""
        return self.generation.snapshot.digest

    @property
    def turns(self) -> int:
        """Turns that run on it."""
        return len(self.pinned)

    def retire(self, drain_seconds: float) -> None:
        """Gets no new turns; cancels those that are left after `drain_seconds`."""
        self.replaced_at = datetime.now(UTC)
        if self.pinned:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(drain_seconds, self._expire)

    def _expire(self) -> None:
        self.expired = True
        _LOG.warning(
            "generation %d: cancelling %d turns that outlasted reload.drainTimeout",
            self.number,
            len(self.pinned),
        )
        for turn in self.pinned:
            turn.cancel()

    async def close(self) -> None:
        """Closes it; no turn of it may be running. Never raises."""
        if self._expiry is not None:
            self._expiry.cancel()
        try:
            await self.generation.close()
        except Exception:
            # The boundary of a generation's end: others serve on, operators read the log.
            _LOG.exception("generation %d could not be closed", self.number)
