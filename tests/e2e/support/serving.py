"""A uvicorn server in the test's own event loop, from its start to its end."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn


@asynccontextmanager
async def serving(
    server: uvicorn.Server, sockets: list[socket.socket] | None = None
) -> AsyncIterator[None]:
    """What `Server.serve` does, but for its main loop, whose clock would add to every test."""
    config = server.config
    if not config.loaded:
        config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets)
    try:
        yield
    finally:
        await server.shutdown(sockets)
