"""A conversation with an agent of a running service, over its HTTP API."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from interlock.cli.conversation import Listener
from interlock.cli.sse import read_events
from interlock.errors import InterlockError
from interlock.model.base import JsonObject

__all__ = ["KEY_VARIABLE", "RemoteTalk", "ServiceFailed", "open_remote"]

KEY_VARIABLE = "INTERLOCK_API_KEY"
"""The environment variable that holds the API key for a service that asks for one."""

# The service says every 15 seconds that it is still working.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)


class ServiceFailed(InterlockError):
    """The service cannot be reached, or answered with an error."""

    code = "service_failed"


class RemoteTalk:
    """A conversation of a running service."""

    def __init__(self, http: aiohttp.ClientSession, url: str, conversation_id: str) -> None:
        self._http = http
        self._url = url
        self._path = f"{url}/v1/conversations/{conversation_id}/messages"

    async def send(self, text: str, listener: Listener) -> JsonObject:
        """The answer to a message. Raises `ServiceFailed`."""
        headers = {"accept": "text/event-stream"}
        try:
            async with self._http.post(self._path, json={"text": text}, headers=headers) as reply:
                await _require_ok(reply)
                async for name, data in read_events(reply.content.iter_any()):
                    view = json.loads(data)
                    if name == "answer":
                        return dict(view)
                    if name == "error":
                        raise ServiceFailed(_problem(view))
                    listener(name, view)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(self._url, error) from error
        raise ServiceFailed("the service ended the stream before the answer; the turn may go on")


@asynccontextmanager
async def open_remote(
    url: str, agent: str, *, customer_id: str | None, session: JsonObject
) -> AsyncIterator[RemoteTalk]:
    """Opens a conversation with an agent of the service at `url`. Raises `ServiceFailed`."""
    url = url.rstrip("/")
    key = os.environ.get(KEY_VARIABLE)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as http:
        body: JsonObject = {"agent": agent, "session": session}
        if customer_id is not None:
            body["customerId"] = customer_id
        try:
            async with http.post(f"{url}/v1/conversations", json=body) as reply:
                await _require_ok(reply)
                conversation = await reply.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(url, error) from error
        yield RemoteTalk(http, url, conversation["id"])


async def _require_ok(reply: aiohttp.ClientResponse) -> None:
    if reply.ok:
        return
    if reply.content_type != "application/problem+json":
        raise ServiceFailed(
            f"{reply.url} answered with status {reply.status} and no problem document; "
            "is it an Interlock service?"
        )
    raise ServiceFailed(_problem(await reply.json(content_type=None)))


def _problem(problem: Any) -> str:
    hint = f" (set {KEY_VARIABLE})" if problem["status"] == 401 else ""
    return f"the service says {problem['code']}: {problem['detail']}{hint}"


def _unreachable(url: str, error: Exception) -> ServiceFailed:
    if isinstance(error, aiohttp.ClientConnectorError):
        return ServiceFailed(f"cannot connect to {url}; is `interlock serve` running there?")
    reason = str(error) or type(error).__name__
    return ServiceFailed(f"no answer from {url}: {reason}")
