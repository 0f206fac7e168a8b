"""The active generation, and those before it that still have turns running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from interlock.reload.generation import Generation

__all__ = ["Generations", "Held"]

_LOG = logging.getLogger(__name__)


class Held:
    """A generation and the turns that run on it."""

    def __init__(self, number: int, generation: Generation) -> None:
        self.number = number
        """Counts from 1 within the process."""
        self.generation = generation
        self.since = datetime.now(UTC)
        """When it became the active one."""
        self.replaced_at: datetime | None = None
        self.expired = False
        """Whether its turns have been cancelled, as they outlasted the time they were given."""
        self._turns: set[asyncio.Task[object]] = set()
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def digest(self) -> str:
        """The snapshot's digest."""
        return self.generation.snapshot.digest

    @property
    def turns(self) -> int:
        """Turns that run on it."""
        return len(self._turns)

    def _retire(self, drain_seconds: float) -> None:
        self.replaced_at = datetime.now(UTC)
        if self._turns:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(drain_seconds, self._expire)

    def _expire(self) -> None:
        self.expired = True
        _LOG.warning(
            "generation %d: cancelling %d turns that outlasted reload.drainTimeout",
            self.number,
            len(self._turns),
        )
        for turn in self._turns:
            turn.cancel()

    async def _close(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        try:
            await self.generation.close()
        except Exception:
            # The boundary of a generation's end: others serve on, operators read the log.
            _LOG.exception("generation %d could not be closed", self.number)


class Generations:
    """Holds generations for as long as a turn needs them. One of them is active."""

    def __init__(self, first: Generation) -> None:
        self._active = Held(1, first)
        self._draining: list[Held] = []
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> Held:
        """The generation that new turns run on."""
        return self._active

    @property
    def draining(self) -> tuple[Held, ...]:
        """Those that were replaced and still have turns running, oldest first."""
        return tuple(self._draining)

    @asynccontextmanager
    async def pin(self) -> AsyncIterator[Held]:
        """A generation for one turn, which stays as it is until the turn ends.

        To be entered in the turn's own task. If the generation is replaced and the turn outlasts
        the drain, the task is cancelled, and `expired` says why.
        """
        held, turn = self._choose(), asyncio.current_task()
        assert turn is not None
        held._turns.add(turn)
        try:
            yield held
        finally:
            held._turns.discard(turn)
            if held in self._draining and not held.turns:
                self._release(held)

    def replace(self, generation: Generation, *, drain_seconds: float) -> Held:
        """Makes another generation the active one.

        The one before it is closed when its last turn ends; its turns are cancelled after
        `drain_seconds`.
        """
        before, self._active = self._active, Held(self._active.number + 1, generation)
        before._retire(drain_seconds)
        self._draining.append(before)
        if not before.turns:
            self._release(before)
        return self._active

    async def close(self) -> None:
        """Closes all of them; no turn may be running."""
        for held in (*self._draining, self._active):
            await held._close()
        self._draining.clear()
        await asyncio.gather(*self._closing)

    def _choose(self) -> Held:
        """The generation for a turn that begins now."""
        return self._active

    def _release(self, held: Held) -> None:
        self._draining.remove(held)
        closing = asyncio.create_task(held._close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
