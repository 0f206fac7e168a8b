"""A place where a tool call waits until the test lets it go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Gate:
    """An HTTP server whose answer to `/gate` waits for `open`."""

    def __init__(self) -> None:
        self.url = ""
        self.arrived: asyncio.Queue[None] = asyncio.Queue()
        """Gets an item with every call that waits."""
        self._open = asyncio.Event()

    def open(self) -> None:
        """Lets every call through, those to come as well."""
        self._open.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.arrived.put_nowait(None)
        await self._open.wait()
        return web.json_response({"opened": True})


@asynccontextmanager
async def open_gate() -> AsyncIterator[Gate]:
    """A closed gate, listening."""
    gate = Gate()
    app = web.Application()
    app.router.add_get("/gate", gate.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        gate.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield gate
    finally:
        gate.open()
        await runner.cleanup()
