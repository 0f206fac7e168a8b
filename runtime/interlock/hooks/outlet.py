"""Telling a plugin what happens, in order, without anyone waiting for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from interlock.hooks.dispatch import Caller, PluginCallError

__all__ = ["Outlet"]

_LOG = logging.getLogger(__name__)
_DRAIN_SECONDS = 5.0


class Outlet:
    """A bounded queue in front of a plugin, and the task that empties it."""

    def __init__(self, caller: Caller, *, most: int) -> None:
        self._caller = caller
        self._queue: asyncio.Queue[tuple[str, Callable[[], Any]]] = asyncio.Queue(most)
        self._worker: asyncio.Task[None] | None = None

    def offer(self, hook: str, function: Callable[[], Any]) -> None:
        """Has the function called when those before it have been; drops it if too many wait."""
        try:
            self._queue.put_nowait((hook, function))
        except asyncio.QueueFull:
            if not self._caller.dropped:
                _LOG.warning(
                    "the plugin '%s' is too slow: from now on events that do not fit into its "
                    "queue are dropped and counted",
                    self._caller.plugin,
                )
            self._caller.dropped += 1
            return
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Waits a little for what is in the queue, and drops the rest."""
        if self._worker is None:
            return
        joining = asyncio.ensure_future(self._queue.join())
        await asyncio.wait({joining}, timeout=_DRAIN_SECONDS)
        joining.cancel()
        self._worker.cancel()
        await asyncio.gather(joining, self._worker, return_exceptions=True)
        left = self._queue.qsize()
        if left:
            self._caller.dropped += left
            _LOG.warning("the plugin '%s' was not told of %d events", self._caller.plugin, left)

    async def _work(self) -> None:
        while True:
            hook, function = await self._queue.get()
            try:
                await self._caller.call(hook, function)
            except PluginCallError:
                # The caller has counted and logged it; the next event is handed over all the same.
                self._caller.dropped += 1
            finally:
                self._queue.task_done()
