"""Carrying a tool out by HTTP: one bound for everything, and a mutation is sent once."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    TraceConfig,
)
from yarl import URL

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import HttpCall
from interlock.tools.failure import fail, fail_unknown, timed_out
from interlock.tools.field_template import InvalidInput
from interlock.tools.http_answer import Answer, read_answer
from interlock.tools.http_request import Request, RequestTemplate
from interlock.tools.http_retry import parse_retry_after, wait_seconds

__all__ = ["HttpClient", "HttpTool"]

_MOST_CONNECTIONS = 256
_MOST_CONNECTIONS_PER_HOST = 64
_MOST_REDIRECTS = 3
_ERROR_BODY_BYTES = 65_536
"""What is read of an answer that is not a success: it is only looked at for a reason."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Flight:
    """How far a call has come."""

    attempts: int = 0
    connected: bool = False
    """Whether any of the request may have left: set before the first byte is written."""


class _ConnectionLost(ClientError):
    """A connection that broke after the request was begun."""


class HttpClient:
    """The connections of a generation's tools. Nothing is opened before the first call."""

    def __init__(self) -> None:
        self._sessions: dict[bool, ClientSession] = {}

    def session(self, *, mutation: bool) -> ClientSession:
        """The session for reads or for mutations.

        A mutation gets a connection of its own: on a kept one that the server is just closing,
        nobody could tell whether the request was carried out.
        """
        found = self._sessions.get(mutation)
        if found is None:
            found = self._sessions[mutation] = _open_session(keep_connections=not mutation)
        return found

    async def close(self) -> None:
        """Closes all connections."""
        for session in self._sessions.values():
            await session.close()


class HttpTool:
    """One tool that is carried out by HTTP."""

    def __init__(
        self,
        name: str,
        http: HttpCall,
        *,
        template: RequestTemplate,
        client: HttpClient,
        mutation: bool,
        repeatable: bool = False,
    ) -> None:
        self._repeatable = repeatable
        self._name = name
        self._http = http
        self._template = template
        self._client = client
        self._mutation = mutation

    async def call(
        self, input: JsonObject, *, timeout_seconds: float, idempotency_key: str | None
    ) -> ToolResult:
        """The result, at the latest after `timeout_seconds`, all attempts included."""
        try:
            request = self._template.render(input, idempotency_key=idempotency_key)
        except InvalidInput as error:
            return fail(str(error))
        except Exception as error:
            # A template can fail in ways of its own. Nothing was sent, and the log hears of it.
            _log.exception("the request of tool '%s' could not be built", self._name)
            return fail(f"the request could not be built: {type(error).__name__}: {error}")
        flight = _Flight()
        try:
            async with asyncio.timeout(timeout_seconds) as bound:
                result = await self._try(request, flight, bound.when())
        except TimeoutError:
            maybe_done = self._mutation and flight.connected
            result = timed_out(timeout_seconds, mutation=maybe_done)
        return replace(result, attempts=flight.attempts)

    async def _try(self, request: Request, flight: _Flight, ends: float | None) -> ToolResult:
        """The first answer that is worth keeping; only reads are sent more than once."""
        retry = self._http.retry
        while True:
            flight.attempts += 1
            result, retry_after = await self._send(request, flight)
            if self._mutation or not result.retryable or flight.attempts >= retry.attempts:
                return result
            wait = wait_seconds(
                retry, flight.attempts, retry_after_seconds=retry_after, random=random.random()
            )
            # An answer that is known now says more than running out of time later.
            if ends is not None and asyncio.get_running_loop().time() + wait >= ends:
                return result
            await asyncio.sleep(wait)

    async def _send(self, request: Request, flight: _Flight) -> tuple[ToolResult, float | None]:
        """One attempt, and what its answer says about waiting."""
        try:
            answer = await self._exchange(request, flight)
        except ClientResponseError:
            message = "the service answered with something that is not HTTP"
            return fail_unknown(message, mutation=self._mutation, retryable=False), None
        except (ClientError, OSError) as error:
            return self._explain(error, flight), None
        result = read_answer(
            answer, self._http, mutation=self._mutation, repeatable=self._repeatable
        )
        return result, answer.retry_after_seconds

    def _explain(self, error: Exception, flight: _Flight) -> ToolResult:
        retryable = True
        if isinstance(error, _ConnectionLost | ClientPayloadError):
            message = "the connection broke before the answer was complete"
        elif isinstance(error, ClientConnectorCertificateError):
            message = "the service could not be reached: its TLS certificate is not valid"
            retryable = False
        elif isinstance(error, ClientConnectorDNSError):
            message = "the service could not be reached: its name cannot be resolved"
        elif isinstance(error, ClientConnectorError) and error.errno == errno.ECONNREFUSED:
            message = "the service could not be reached: connection refused"
        else:
            message = f"the service could not be reached: {type(error).__name__}"
        maybe_done = self._mutation and flight.connected
        return fail_unknown(message, mutation=maybe_done, retryable=retryable)

    async def _exchange(self, request: Request, flight: _Flight) -> Answer:
        """The answer to a request, after redirects on the same host if it is a read."""
        session = self._client.session(mutation=self._mutation)
        method, body, headers = request.method, request.body, request.headers.copy()
        url = URL(request.url, encoded=True)
        redirects = 0
        while True:
            async with session.request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=flight,
            ) as response:
                target = None if self._mutation else _redirect_target(response, url)
                if target is None or redirects == _MOST_REDIRECTS:
                    return await _read(response, self._http.max_bytes)
            redirects += 1
            url = target
            if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                method, body = "GET", None
                headers.popall("Content-Type", None)


def _redirect_target(response: ClientResponse, url: URL) -> URL | None:
    """Where to go on; None if this is no redirect, or one that leaves the host."""
    location = response.headers.get("Location")
    if response.status not in (301, 302, 303, 307, 308) or location is None:
        return None
    try:
        target = url.join(URL(location))
        return target if target.origin() == url.origin() else None
    except ValueError:
        return None


async def _read(response: ClientResponse, max_bytes: int) -> Answer:
    success = 200 <= response.status < 300
    most = max_bytes if success else min(max_bytes, _ERROR_BODY_BYTES)
    body = bytearray()
    complete = True
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            complete = False
            # What is still under way is not wanted, so neither is the connection.
            response.close()
            break
    return Answer(
        status=response.status,
        content_type=response.content_type.lower() if "Content-Type" in response.headers else "",
        charset=response.charset,
        body=bytes(body),
        complete=complete,
        location=response.headers.get("Location"),
        retry_after_seconds=parse_retry_after(
            response.headers.get("Retry-After"), datetime.now(UTC)
        ),
    )


def _open_session(*, keep_connections: bool) -> ClientSession:
    tracing = TraceConfig()
    tracing.on_connection_create_end.append(_note_connection)
    tracing.on_connection_reuseconn.append(_note_connection)
    return ClientSession(
        connector=TCPConnector(
            limit=_MOST_CONNECTIONS,
            limit_per_host=_MOST_CONNECTIONS_PER_HOST,
            force_close=not keep_connections,
        ),
        cookie_jar=DummyCookieJar(),
        trust_env=False,
        # The bound on the whole call is ours, and needs no second one.
        timeout=ClientTimeout(total=None),
        middlewares=(_send_once,),
        trace_configs=[tracing],
        headers={"User-Agent": "interlock"},
    )


async def _note_connection(_session: ClientSession, context: object, _params: object) -> None:
    flight = getattr(context, "trace_request_ctx", None)
    if isinstance(flight, _Flight):
        flight.connected = True


async def _send_once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Keeps aiohttp from repeating a PUT, DELETE or GET by itself after a broken connection.

    It does so for `ServerDisconnectedError` and `ClientOSError`, after the first request may
    have been carried out; any other error it hands on.
    """
    try:
        return await send(request)
    except ClientConnectorError:
        raise
    except ClientConnectionError as error:
        raise _ConnectionLost(str(error)) from error
