"""ASGI middleware that makes requests fail as the armed faults say."""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from examples.shop import problems
from examples.shop.connection import hang, reset_connection
from examples.shop.faults import Fault, Faults

FLOOD_BYTES = 2_000_000
GARBAGE = b'{"id": "ORD-1001", "status": "shi'


class FaultMiddleware:
    """Passes requests on to `app`, except those that a fault strikes."""

    def __init__(
        self,
        app: ASGIApp,
        faults: Faults,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app = app
        self._faults = faults
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or do to it what the fault says."""
        fault = self._faults.strike(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        withheld: list[Message] = []
        if fault.after_effect:

            async def withhold(message: Message) -> None:
                withheld.append(message)

            await self._app(scope, receive, withhold)
        match fault.kind:
            case "hang":
                await hang(receive)
            case "reset":
                await reset_connection(receive)
            case "slow":
                await self._sleep(fault.delay_seconds)
                if not fault.after_effect:
                    await self._app(scope, receive, send)
                for message in withheld:
                    await send(message)
            case "503" | "garbage" | "flood":
                await _build_response(fault)(scope, receive, send)


def _build_response(fault: Fault) -> Response:
    match fault.kind:
        case "garbage":
            return Response(GARBAGE, media_type="application/json")
        case "flood":
            return Response(_build_flood(), media_type="application/json")
        case _:
            return problems.respond(problems.unavailable().document)


@functools.cache
def _build_flood() -> bytes:
    row = {"id": "ORD-0000", "status": "archived", "note": "x" * 200}
    size = len(json.dumps(row)) + 2
    return json.dumps({"results": [row] * (FLOOD_BYTES // size + 1)}).encode()
