"""Reading the project's files without ever waiting for them in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from interlock.config.listing import unreadable
from interlock.config.source import Source
from interlock.reload.aside import run_aside

__all__ = ["Reader"]

_SECONDS = 30.0


class Reader:
    """Reads the tree in a thread. A file system that does not answer is a finding."""

    def __init__(self, read: Callable[[], Source], *, seconds: float = _SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._reading: asyncio.Task[Source] | None = None

    async def read(self) -> Source:
        """The files as they are now, or why they cannot be read."""
        before = self._reading
        # One thread that hangs is enough. What it will have read is older than this call.
        if before is not None and not await self._has_ended(before):
            return self._no_answer()
        reading = self._reading = asyncio.create_task(run_aside(self._read, name="read"))
        reading.add_done_callback(_hear)
        return reading.result() if await self._has_ended(reading) else self._no_answer()

    async def _has_ended(self, reading: asyncio.Task[Source]) -> bool:
        done, _ = await asyncio.wait({reading}, timeout=self._seconds)
        return bool(done)

    def _no_answer(self) -> Source:
        reason = f"no answer from the file system within {self._seconds:g} s"
        return Source({}, (unreadable("./", reason),))


def _hear(reading: asyncio.Task[Source]) -> None:
    """Of a reading that nobody waits for any more, its failure is no news."""
    if not reading.cancelled():
        reading.exception()
