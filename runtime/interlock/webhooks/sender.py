"""Sending webhooks: in order, signed, tried again for a while, and never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.webhooks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

__all__ = ["Target", "WebhookSender"]

_LONGEST_DELAY = 60.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where notices go at present."""

    url: str
    secret: str
    timeout_seconds: float
    attempts: int


class WebhookSender:
    """Takes notices and sends them one after the other. Belongs to one event loop.

    `target` gives where they go at the time of each attempt, as a wrong address may have been
    corrected meanwhile; None sends nothing. When `most` are waiting the oldest is dropped, since
    the newest says how things are.
    """

    def __init__(
        self,
        target: Callable[[], Target | None],
        *,
        most: int = 1000,
        first_delay: float = 1.0,
    ) -> None:
        self._target = target
        self._most = most
        self._first_delay = first_delay
        self._waiting: deque[JsonObject] = deque()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        """Notices for which there was no room."""
        self.failed = 0
        """Notices that were given up."""
        self.sent = 0
        """Notices that were taken."""

    def put(self, notice: JsonObject) -> None:
        """Takes a notice, which has an `id` and a `type`. Never waits and never raises."""
        if self._target() is None:
            return
        if len(self._waiting) >= self._most:
            oldest = self._waiting.popleft()
            self.dropped += 1
            _LOG.error("%s was not sent: too many are waiting", _named(oldest))
        self._waiting.append(notice)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send_all(), name="interlock-webhooks")

    async def close(self, *, drain_seconds: float = 2.0) -> None:
        """Gives what is waiting a last chance, and ends."""
        task, self._task = self._task, None
        if task is None:
            return
        await asyncio.wait({task}, timeout=drain_seconds)
        if not task.done():
            _LOG.error("%d notices were not sent before the end", len(self._waiting) + 1)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _send_all(self) -> None:
        async with aiohttp.ClientSession() as http:
            while self._waiting:
                await self._deliver(http, self._waiting.popleft())

    async def _deliver(self, http: aiohttp.ClientSession, notice: JsonObject) -> None:
        delay, attempt = self._first_delay, 0
        while (target := self._target()) is not None:
            attempt += 1
            problem = await _post(http, target, notice)
            if problem is None:
                self.sent += 1
                return
            if attempt >= target.attempts:
                self.failed += 1
                _LOG.error("%s was given up after %d times: %s", _named(notice), attempt, problem)
                return
            _LOG.warning("%s was not taken: %s", _named(notice), problem)
            await asyncio.sleep(delay * (0.5 + random.random() / 2))
            delay = min(delay * 2, _LONGEST_DELAY)


def _named(notice: JsonObject) -> str:
    return f"the notice {notice['id']} ({notice['type']})"


async def _post(http: aiohttp.ClientSession, target: Target, notice: JsonObject) -> str | None:
    """What went wrong, if anything did."""
    body, timestamp = to_json(notice), str(int(time.time()))
    headers = {
        "content-type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(target.secret, timestamp, body),
    }
    timeout = aiohttp.ClientTimeout(total=target.timeout_seconds)
    try:
        # A redirect would carry the notice to somebody who was not declared.
        async with http.post(
            target.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            return None if answer.status < 300 else f"the answer was {answer.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
