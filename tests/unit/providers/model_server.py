"""A small HTTP server on raw sockets that answers every request as the test says.

Raw sockets, as a well-behaved server library cannot be made to break off in the middle.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


Script = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


class ModelServer:
    """Serves `script` on a free port of the loopback; keeps every request."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.connections = 0
        self.received = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                request = await _read_request(reader)
                self.requests.append(request)
                self.received.set()
                await self.script(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client closed the connection, as it may
        finally:
            writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = dict(_header(line) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


def response(
    status: int, body: bytes, *, headers: Iterable[tuple[str, str]] = (), length: int | None = None
) -> bytes:
    """A complete response; `length` claims another length than the body has."""
    lines = [
        f"HTTP/1.1 {status} Status",
        f"content-length: {len(body) if length is None else length}",
        "content-type: application/json",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(
    status: int, body: Any, *, headers: Iterable[tuple[str, str]] = (), close: bool = False
) -> Script:
    """Answers with a JSON value, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(response(status, content, headers=headers))
        if close:
            writer.close()

    return script


def api_error(kind: str, message: str, **details: Any) -> dict[str, Any]:
    """The body of an error as the API writes it."""
    error: dict[str, Any] = {"type": kind, "message": message}
    if details:
        error["details"] = details
    return {"type": "error", "error": error, "request_id": "req_body"}


def sse(events: Iterable[Any]) -> bytes:
    """Events as a stream; a text or bytes stands for an event's data as it is."""
    return b"".join(_sse_event(event) for event in events)


def _sse_event(event: Any) -> bytes:
    if isinstance(event, bytes):
        return event
    data = json.dumps(event)
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


def stream(events: Iterable[Any], *, end: str = "clean") -> Script:
    """Streams the events chunk by chunk, then ends.

    `end`: `clean` closes the stream properly, `drop` breaks the connection before its end,
    `hang` leaves it open until the client goes away.
    """
    parts = [sse([event]) for event in events]

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"request-id: req_stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for part in parts:
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        await writer.drain()
        if end == "clean":
            writer.write(b"0\r\n\r\n")
        elif end == "drop":
            writer.close()
        else:
            await asyncio.Event().wait()

    return script


async def hang(request: Request, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def drop(request: Request, writer: asyncio.StreamWriter) -> None:
    """Closes the connection instead of an answer."""
    writer.close()


async def reset(request: Request, writer: asyncio.StreamWriter) -> None:
    """Resets the connection instead of an answer."""
    writer.transport.abort()
