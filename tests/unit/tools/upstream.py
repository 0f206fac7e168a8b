"""A service that tools call: real sockets, and every way of answering badly."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping
from typing import Any

from tests.unit.providers.model_server import ModelServer as Upstream
from tests.unit.providers.model_server import Request, Script, drop, hang, reset

__all__ = [
    "Request",
    "Script",
    "Upstream",
    "answer",
    "drop",
    "flood",
    "garbage",
    "hang",
    "in_order",
    "reset",
    "slow_headers",
    "truncated",
    "zipped_flood",
]


def answer(
    status: int = 200,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> Script:
    """Answers with a JSON value, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", **(headers or {})}
    fields["content-length"] = str(len(content) if length is None else length)

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Status", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + content)

    return script


def in_order(*scripts: Script) -> Script:
    """Answers each request with the next script; asking too often breaks off."""
    rest = iter(scripts)

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        await next(rest, reset)(request, writer)

    return script


async def truncated(request: Request, writer: asyncio.StreamWriter) -> None:
    """Breaks off in the middle of the body."""
    await answer(200, b'{"a":', length=1000)(request, writer)
    await writer.drain()
    writer.close()


async def garbage(request: Request, writer: asyncio.StreamWriter) -> None:
    """Answers with something that is not HTTP."""
    writer.write(b"\x16\x03\x01 what is this\r\n\r\n")
    await writer.drain()
    writer.close()


async def slow_headers(request: Request, writer: asyncio.StreamWriter) -> None:
    """Sends the beginning of the headers and then nothing more."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: appli")
    await writer.drain()
    await asyncio.Event().wait()


class flood:
    """Sends up to `total` bytes of text and counts what was taken."""

    def __init__(self, total: int, *, declared: bool = True) -> None:
        self.total = total
        self.declared = declared
        self.sent = 0
        self.ended = asyncio.Event()

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        size = f"content-length: {self.total}\r\n" if self.declared else ""
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n{size}\r\n".encode())
        try:
            while self.sent < self.total:
                writer.write(b"x" * 65_536)
                await writer.drain()
                self.sent += 65_536
            writer.close()
        finally:
            self.ended.set()


def zipped_flood(total: int) -> Script:
    """A small body that unpacks to `total` bytes."""
    return answer(200, gzip.compress(b"0" * total), headers={"content-encoding": "gzip"})
