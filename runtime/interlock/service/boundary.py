"""The outermost middleware: a request's id, and the answer to errors nobody expected."""

from __future__ import annotations

import logging
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interlock.ids import new_id
from interlock.service.problems import explain, problem_response

__all__ = ["Boundary"]

_LOG = logging.getLogger(__name__)
_HEADER = "x-request-id"
# What is given goes into log lines, so it must not be able to look like one.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Boundary:
    """Gives every request an id, and every exception that comes this far a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(_HEADER, "")
        request_id = given if _GIVEN.fullmatch(given) else new_id("req")
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            # Nobody is left to be told.
            _LOG.debug("request %s: the client left before its body was read", request_id)
        except Exception as error:
            # The boundary of a request: operators read the log, the client gets the id.
            problem = explain(error, request_id)
            if not started:
                await problem_response(problem, scope)(scope, receive, send_with_id)
