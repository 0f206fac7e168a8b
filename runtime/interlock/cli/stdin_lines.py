"""Lines of standard input, without holding up the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading

__all__ = ["StdinLines"]

_CHUNK = 65536


class StdinLines:
    """Reads lines as they are typed or piped in.

    The thread that waits is a daemon and reads the file descriptor itself: it can be left behind
    when the user interrupts, and holds no lock that Python needs to end.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self._ended = False

    async def next(self) -> str | None:
        """The next line without its end, or None when there are no more."""
        while b"\n" not in self._rest and not self._ended:
            chunk = await self._read()
            self._rest += chunk
            self._ended = not chunk
        if not self._rest:
            return None
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")

    async def _read(self) -> bytes:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bytes] = loop.create_future()

        def deliver(chunk: bytes) -> None:
            if not waiting.done():
                waiting.set_result(chunk)

        def read() -> None:
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError:
                # A terminal that went away has nothing more to say.
                chunk = b""
            # The loop is gone when the user has interrupted.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(deliver, chunk)

        threading.Thread(target=read, daemon=True, name="interlock-stdin").start()
        return await waiting
