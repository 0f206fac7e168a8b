"""Sending an answer over ASGI, whole or broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from interlock.sim.errors import error_body
from interlock.sim.simulator import Answer

__all__ = ["CLOSE_EXTENSION", "deliver", "read_body", "send_whole"]

CLOSE_EXTENSION = "interlock.close"
"""The ASGI extension through which `server` lets the app close a connection."""

_BROKEN_EVENT = b'event: content_block_delta\ndata: {"type": "content_block_delta", "del\n\n'


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The request's body; None when it is longer than `limit` bytes.

    A body that is too long is read to its end, because a client that is still sending would not
    see the answer.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= limit else None


async def deliver(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Waits for the answer's latency and sends it, unless the client leaves before."""
    if answer.fault == "hang":
        await _wait_for_disconnect(receive, None)
        return
    if answer.latency_seconds and await _wait_for_disconnect(receive, answer.latency_seconds):
        return
    match answer.fault:
        case None:
            await _send(send, answer, answer.parts)
        case "drop":
            await _close(scope, receive)
        case "malformed":
            await _send(send, answer, _malform(answer))
        case "streamError":
            error = error_body("overloaded_error", "Overloaded", answer.request_id)
            event = b"event: error\ndata: %b\n\n" % error
            await _send(send, answer, [*_first_half(answer.parts), event])
        case "truncate" if answer.is_stream:
            await _send(send, answer, _first_half(answer.parts))
        case "truncate" | "disconnect":
            await _send_part(send, answer)
            await _close(scope, receive)


async def send_whole(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Sends a response that is not broken."""
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    kind = b"text/event-stream; charset=utf-8" if answer.is_stream else b"application/json"
    headers = [
        (b"content-type", kind),
        (b"request-id", answer.request_id.encode()),
        (b"x-interlock-simulator", b"true"),
    ]
    if answer.is_stream:
        headers.append((b"cache-control", b"no-cache"))
    if answer.retry_after_seconds is not None:
        headers.append((b"retry-after", f"{answer.retry_after_seconds:g}".encode()))
    return headers


async def _send(send: Send, answer: Answer, parts: list[bytes]) -> None:
    headers, body = _headers(answer), b"".join(parts)
    if not answer.is_stream:
        await send_whole(send, answer.status, headers, body)
        return
    # Without a length the server sends chunks, which is how the end of a stream is told.
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_part(send: Send, answer: Answer) -> None:
    """Sends about half of what was announced."""
    headers = _headers(answer)
    if answer.is_stream:
        half = b"".join(_first_half(answer.parts))
    else:
        whole = b"".join(answer.parts)
        half = whole[: len(whole) // 2]
        headers.append((b"content-length", str(len(whole)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": half, "more_body": True})


def _first_half(parts: list[bytes]) -> list[bytes]:
    return parts[: len(parts) // 2]


def _malform(answer: Answer) -> list[bytes]:
    if answer.is_stream:
        return [*_first_half(answer.parts), _BROKEN_EVENT]
    whole = b"".join(answer.parts)
    return [whole[: len(whole) // 2]]


async def _close(scope: Scope, receive: Receive) -> None:
    extensions: dict[str, Any] = scope.get("extensions") or {}
    close = cast(Callable[[], None] | None, extensions.get(CLOSE_EXTENSION))
    if close is None:
        raise RuntimeError("only interlock.sim.serve and SimServer can close a connection")
    close()
    await _wait_for_disconnect(receive, None)


async def _wait_for_disconnect(receive: Receive, timeout_seconds: float | None) -> bool:
    """Whether the client left within the time; without one, waits until it has."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True
