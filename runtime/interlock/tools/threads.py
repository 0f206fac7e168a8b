"""Threads for synchronous functions: few, and never in the way of the process's end."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["AllThreadsStuck", "Threads"]


class AllThreadsStuck(Exception):
    """Every thread is busy with a function that has been given up."""


class Threads:
    """At most `most` threads at a time, each for one function.

    They are daemons and not those of a `ThreadPoolExecutor`, which waits for its threads when
    the process ends: one function that hangs would keep the service from stopping.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = asyncio.Semaphore(most)
        self._stuck: set[asyncio.Future[Any]] = set()

    @property
    def stuck(self) -> int:
        """How many threads are busy with a function that has been given up."""
        return len(self._stuck)

    async def start(self, function: Callable[[], Any]) -> asyncio.Future[Any]:
        """Begins `function`, which must not raise, and gives the future of what it returns.

        Waits for a free thread; if that is cancelled, the function was not begun. Raises
        `AllThreadsStuck` when there is nothing to wait for.
        """
        if len(self._stuck) == self._most:
            raise AllThreadsStuck
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        future.add_done_callback(lambda _: self._free.release())
        context = contextvars.copy_context()

        def run() -> None:
            value = context.run(function)
            try:
                loop.call_soon_threadsafe(_settle, future, value)
            except RuntimeError:
                # The loop is closed: nobody is left who could want the value.
                return

        threading.Thread(target=run, name="interlock-tool", daemon=True).start()
        return future

    def give_up(self, future: asyncio.Future[Any]) -> None:
        """Counts the thread as stuck until its function ends; a thread cannot be stopped."""
        if not future.done():
            self._stuck.add(future)
            future.add_done_callback(self._stuck.discard)


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)
