"""Running the simulator on uvicorn: as a process's service, or beside a test in its own loop."""

from __future__ import annotations

import asyncio
import socket
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from interlock.sim.app import create_app
from interlock.sim.delivery import CLOSE_EXTENSION
from interlock.sim.rules import SimRules

__all__ = ["SimServer", "serve"]


async def serve(app: ASGIApp, host: str = "127.0.0.1", port: int = 8765) -> None:
    """Serves until the process is told to end. Raises `OSError` when the port is taken."""
    with _listen(host, port) as listener:
        await uvicorn.Server(_config(app)).serve(sockets=[listener])


class SimServer:
    """A simulator in the running event loop, on a free port of the loopback interface.

    `async with SimServer(rules) as sim:` then `AsyncAnthropic(base_url=sim.base_url, ...)`.
    """

    def __init__(self, rules: SimRules, *, default_latency_seconds: float = 0) -> None:
        app = create_app(rules, default_latency_seconds=default_latency_seconds)
        self._server = uvicorn.Server(_config(app))
        self._listeners: list[socket.socket] = []
        self.base_url = ""
        """Where it listens, such as `http://127.0.0.1:41873`; empty before it is entered."""

    async def __aenter__(self) -> Self:
        listener = _listen("127.0.0.1", 0)
        self._listeners = [listener]
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # What `Server.serve` does, without taking over the process's signals and its main loop.
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(self._listeners)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._server.shutdown(self._listeners)


class _Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a way for the app to close the connection it answers on.

    A simulator has nothing to finish: at shutdown open requests end at once.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent narrows it
        super().connection_made(transport)
        app = self.app

        async def closable(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {CLOSE_EXTENSION: transport.close}
            await app(scope, receive, send)

        self.app = closable

    def shutdown(self) -> None:
        super().shutdown()
        self.transport.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        # The process's logging is not ours to set up.
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket; uvicorn's own way would end the process when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that say they are TCP. With it, a reply in
    # two writes takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
