"""Refusing large request bodies before they are in memory."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interlock.runtime import Runtime
from interlock.service.problems import ApiError, problem_response

__all__ = ["BodyLimit"]


class BodyLimit:
    """Answers 413 to a body over `server.maxBodyBytes`, whether or not its length is announced."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts the bytes of the body as they come."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._runtime.generation.snapshot.settings.server.max_body_bytes
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > most:
            await problem_response(_too_large(most), scope)(scope, receive, send)
            return
        size = 0

        async def receive_limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise _too_large(most)
            return message

        await self._app(scope, receive_limited, send)


def _too_large(most: int) -> ApiError:
    return ApiError(413, "body_too_large", f"the body must not be larger than {most} bytes")
