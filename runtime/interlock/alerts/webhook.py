"""Sending alerts to a webhook: in order, signed, tried again, and never in anybody's way."""

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

from interlock.alerts.alert import Alert
from interlock.alerts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

__all__ = ["Target", "WebhookSender"]

_MOST_WAITING = 100
_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where alerts go at present."""

    url: str
    secret: str
    timeout_seconds: float
    attempts: int


class WebhookSender:
    """Sends alerts one after the other. Taking one never waits and never raises.

    `target` gives where they go at the time of each attempt; None sends nothing. When a hundred
    are waiting the oldest is dropped, since the newest says how things are.
    """

    def __init__(
        self, target: Callable[[], Target | None], *, first_delay: float = _FIRST_DELAY
    ) -> None:
        self._target = target
        self._first_delay = first_delay
        self._waiting: deque[Alert] = deque(maxlen=_MOST_WAITING)
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.dropped = 0
        """Alerts for which there was no room."""
        self.failed = 0
        """Alerts that were given up."""
        self.sent = 0
        """Alerts that were taken."""

    def put(self, alert: Alert) -> None:
        """Takes an alert to be sent."""
        if self._target() is None:
            return
        self.dropped += len(self._waiting) == _MOST_WAITING
        self._waiting.append(alert)
        self._idle.clear()
        self._arrived.set()

    async def run(self) -> None:
        """Sends what comes, until it is cancelled."""
        async with aiohttp.ClientSession() as session:
            while True:
                await self._arrived.wait()
                while self._waiting:
                    await self._deliver(session, self._waiting.popleft())
                self._arrived.clear()
                self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Returns once all that was taken was sent or given up, or after this time."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            _LOG.warning("%d alerts were not sent before the end", len(self._waiting) + 1)

    async def _deliver(self, session: aiohttp.ClientSession, alert: Alert) -> None:
        delay, attempt = self._first_delay, 0
        while (target := self._target()) is not None:
            attempt += 1
            problem = await _send(session, target, alert)
            if problem is None:
                self.sent += 1
                return
            if attempt >= target.attempts:
                self.failed += 1
                _LOG.error(
                    "the alert %s was given up after %d times: %s", alert.id, attempt, problem
                )
                return
            _LOG.warning("the alert %s was not taken: %s", alert.id, problem)
            await asyncio.sleep(delay * (0.5 + random.random() / 2))
            delay = min(delay * 2, _LONGEST_DELAY)


async def _send(session: aiohttp.ClientSession, target: Target, alert: Alert) -> str | None:
    """Sends an alert once; what went wrong, or None."""
    body, timestamp = to_json(alert.to_json()), str(int(time.time()))
    headers = {
        "content-type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(target.secret, timestamp, body),
    }
    timeout = aiohttp.ClientTimeout(total=target.timeout_seconds)
    try:
        # A redirect would carry the alert to somebody who was not declared.
        async with session.post(
            target.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            return None if answer.status < 300 else f"the webhook answered {answer.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
