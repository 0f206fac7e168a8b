"""A receiver of alerts: a real HTTP server that checks signatures as docs/breakers.md shows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.e2e.breakers.documented import is_genuine

SECRET = "hush"


@dataclass
class Webhook:
    """Takes alerts, but for the first `refusing` requests."""

    url: str = ""
    refusing: int = 0
    requests: int = 0
    alerts: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    async def next(self, source: str) -> Any:
        """The next alert, which has to be about this."""
        async with asyncio.timeout(20):
            alert = await self.alerts.get()
        assert alert["source"] == source, alert
        return alert

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests += 1
        timestamp, signature = (
            request.headers["X-Interlock-Timestamp"],
            request.headers["X-Interlock-Signature"],
        )
        if not is_genuine(SECRET, timestamp=timestamp, signature=signature, body=body):
            return web.Response(status=401)
        if self.requests <= self.refusing:
            return web.Response(status=503)
        self.alerts.put_nowait(json.loads(body))
        return web.Response(status=204)


@asynccontextmanager
async def run_webhook() -> AsyncIterator[Webhook]:
    """A webhook on a free port."""
    webhook = Webhook()
    app = web.Application()
    app.router.add_post("/alerts", webhook._receive)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        webhook.url = f"http://127.0.0.1:{port}/alerts"
        yield webhook
    finally:
        await runner.cleanup()
