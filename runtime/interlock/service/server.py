"""uvicorn, set up for the API and without the parts of it that are ours."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

__all__ = ["Server"]

_KEEP_ALIVE_SECONDS = 75
_LAST_RESPONSES_SECONDS = 5


class Server(uvicorn.Server):
    """A server that leaves the process's signals alone and tells when it is ready."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                ws="none",
                lifespan="off",
                # The process's logging is not ours to set up.
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                # Longer than clients keep theirs: a message must not meet a closing connection.
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_LAST_RESPONSES_SECONDS,
            )
        )
        self.ready = asyncio.Event()
        """Set once requests are answered."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves them to `signals`."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        self.ready.set()
