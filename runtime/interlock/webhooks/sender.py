"""Sending webhooks: from a bounded queue, one after the other, tried again for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.webhooks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

__all__ = ["Target", "WebhookSender", "delays"]

_LOG = logging.getLogger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Target:
    """Where webhooks go, and what signs them."""

    url: str
    secret: str


def delays(attempts: int, *, first: float = 1.0, longest: float = 60.0) -> list[float]:
    """Seconds between so many attempts: each twice the one before, up to the longest."""
    return [min(longest, first * 2**number) for number in range(attempts - 1)]


class WebhookSender:
    """Takes notices and sends them in the background. Belongs to one event loop."""

    def __init__(
        self,
        target: Callable[[], Target | None],
        *,
        most: int = 1000,
        attempts: int = 6,
        first_delay: float = 1.0,
    ) -> None:
        self._target = target
        self._waiting: asyncio.Queue[JsonObject] = asyncio.Queue(most)
        self._delays = delays(attempts, first=first_delay)
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        """Notices that were given up, as the queue was full or nobody took them."""

    def send(self, notice: JsonObject) -> None:
        """Takes a notice, which is JSON with an `id`. Never waits and never raises."""
        if self._target() is None:
            return
        try:
            self._waiting.put_nowait(notice)
        except asyncio.QueueFull:
            self._give_up(notice, "too many are waiting")
            return
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="interlock-webhooks")

    async def close(self, *, drain_seconds: float = 2.0) -> None:
        """Gives what is waiting a last chance, and ends."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(drain_seconds):
                await self._waiting.join()
        except TimeoutError:
            _LOG.error("%d notices were not sent before the end", self._waiting.qsize() + 1)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            while True:
                notice = await self._waiting.get()
                try:
                    await self._deliver(http, notice)
                finally:
                    self._waiting.task_done()

    async def _deliver(self, http: aiohttp.ClientSession, notice: JsonObject) -> None:
        problem: str | None = None
        for delay in (*self._delays, None):
            # Asked anew each time: a wrong address may have been corrected meanwhile.
            target = self._target()
            if target is None:
                return
            problem = await _post(http, target, notice)
            if problem is None:
                return
            if delay is not None:
                await asyncio.sleep(delay)
        self._give_up(notice, problem or "nobody took it")

    def _give_up(self, notice: JsonObject, reason: str) -> None:
        self.dropped += 1
        _LOG.error("the notice %s (%s) was not sent: %s", notice["id"], notice["type"], reason)


async def _post(http: aiohttp.ClientSession, target: Target, notice: JsonObject) -> str | None:
    """What went wrong, if anything did."""
    body, timestamp = to_json(notice), int(time.time())
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: sign(target.secret, timestamp, body),
    }
    try:
        async with http.post(
            target.url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return None if answer.status < 300 else f"the answer was {answer.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return str(error) or type(error).__name__
