"""Serving the shop on a TCP port of this machine."""

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from examples.shop.app import create_app

HOST = "127.0.0.1"
SHUTDOWN_SECONDS = 1
"""How long a shutdown waits for requests, such as one that hangs."""


class ShopServer(uvicorn.Server):
    """A server that tells its address as soon as it answers; port 0 takes a free port.

    Stop it with a signal, or by setting `should_exit`.
    """

    def __init__(self, database: Path, port: int, *, announce: Callable[[str], None]) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(database),
                host=HOST,
                port=port,
                loop="asyncio",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start answering, then call `announce` with the base URL."""
        await super().startup(sockets)
        (listener,) = self.servers[0].sockets
        self._announce(f"http://{HOST}:{listener.getsockname()[1]}")
