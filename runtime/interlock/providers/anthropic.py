"""Calling a server that speaks the Messages API, through the `anthropic` SDK."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from traceback import format_exception

import httpx2
from anthropic import AsyncAnthropic, AsyncStream, DefaultAioHttpClient, RequestOptions
from pydantic_core import PydanticSerializationError, from_json, to_json

from interlock.model.base import JsonObject
from interlock.providers.failure import Failure, explain_failure
from interlock.providers.message import MalformedMessage, Message, read_message
from interlock.providers.stream import MessageAssembler
from interlock.turn.ports import ModelFailure, ModelReply

__all__ = ["AnthropicProvider"]

_PATH = "/v1/messages"

_CONNECT_SECONDS = 5.0
"""A server that takes longer to accept a connection is down."""

_SHORTEST_SECRET = 8
"""A shorter header value is not taken for a secret."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Progress:
    """How far one call got."""

    sent: bool = False
    request_id: str | None = None


class AnthropicProvider:
    """One server that speaks the Messages API, through one SDK client.

    Bytes go in and bytes come out: the SDK does the connection, the headers and the errors, but
    neither walks the request nor builds models of the reply, which would more than double the
    CPU time of a call. Raises `ValueError` for a base URL that is none.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        api_key: str,
        timeout_seconds: float,
        max_concurrency: int,
        stream: bool,
        headers: Mapping[str, str],
    ) -> None:
        _check_url(base_url, name)
        self.name = name
        self._timeout_seconds = timeout_seconds
        self._stream = stream
        self._slots = asyncio.Semaphore(max_concurrency)
        self._secrets = (
            api_key,
            *(value for value in headers.values() if len(value) >= _SHORTEST_SECRET),
        )
        connect = min(_CONNECT_SECONDS, timeout_seconds)
        timeout = httpx2.Timeout(timeout_seconds, connect=connect, pool=connect)
        limits = httpx2.Limits(
            max_connections=max_concurrency, max_keepalive_connections=max_concurrency
        )
        # Without a key of its own the SDK draws a random one for each request, and never sends it.
        self._options: RequestOptions = {"timeout": timeout, "idempotency_key": name}
        self._client = AsyncAnthropic(
            base_url=base_url,
            api_key=api_key,
            # The runtime retries, under the turn's deadline and budget; the SDK knows neither.
            max_retries=0,
            # The runtime's own trace has a span for every call.
            open_telemetry=False,
            timeout=timeout,
            default_headers=dict(headers),
            http_client=DefaultAioHttpClient(timeout=timeout, limits=limits),
        )

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply | ModelFailure:
        """The model's answer to `body`, a complete request except for `stream`.

        Takes `timeout_seconds` at most, or the provider's own timeout if that is shorter, the
        wait for a free slot included. Raises nothing but `CancelledError`.
        """
        started = perf_counter()
        progress = _Progress()
        try:
            message = await self._exchange(body, progress, timeout_seconds)
        except Exception as error:
            # The boundary: the turn hears of every failure, as data, and decides what to do.
            return self._fail(error, progress, _milliseconds_since(started))
        return ModelReply(
            content=message.content,
            stop_reason=message.stop_reason,
            usage=message.usage,
            request_id=progress.request_id,
            latency_ms=_milliseconds_since(started),
            stop_details=message.stop_details,
        )

    async def close(self) -> None:
        """Closes all connections; no call may follow."""
        await self._client.close()

    async def _exchange(
        self, body: JsonObject, progress: _Progress, timeout_seconds: float
    ) -> Message:
        content = to_json({**body, "stream": True} if self._stream else body)
        async with asyncio.timeout(min(timeout_seconds, self._timeout_seconds)), self._slots:
            # From here on the server may do the work. A connection that cannot be made says so
            # with an error of its own.
            progress.sent = True
            if self._stream:
                return await self._receive_stream(content, progress)
            return await self._receive(content, progress)

    async def _receive(self, content: bytes, progress: _Progress) -> Message:
        response = await self._client.post(
            _PATH, content=content, options=self._options, cast_to=httpx2.Response
        )
        progress.request_id = response.headers.get("request-id")
        try:
            answer = from_json(response.content, allow_inf_nan=False)
        except ValueError as error:
            raise MalformedMessage(f"not JSON: {error}") from error
        return read_message(answer)

    async def _receive_stream(self, content: bytes, progress: _Progress) -> Message:
        assembler = MessageAssembler()
        # `object` makes the SDK hand over each event as the JSON it is.
        async with await self._client.post(
            _PATH,
            content=content,
            options=self._options,
            cast_to=object,
            stream=True,
            stream_cls=AsyncStream[object],
        ) as events:
            progress.request_id = events.response.headers.get("request-id")
            try:
                # Also after the message's end, as only a connection read to its end is used again.
                async for event in events:
                    assembler.feed(event)
            except httpx2.TransportError:
                if not assembler.complete:
                    raise
        return read_message(assembler.message())

    def _fail(self, error: Exception, progress: _Progress, latency_ms: float) -> ModelFailure:
        failure = self._explain(error, sent=progress.sent)
        return ModelFailure(
            kind=failure.kind,
            message=self._redact(f"provider '{self.name}': {failure.message}"),
            status=failure.status,
            retry_after_seconds=failure.retry_after_seconds,
            maybe_billed=failure.maybe_billed,
            request_id=failure.request_id or progress.request_id,
            latency_ms=latency_ms,
        )

    def _explain(self, error: Exception, *, sent: bool) -> Failure:
        match error:
            case TimeoutError() if sent:
                return Failure("timeout", "no complete answer in time", maybe_billed=True)
            case TimeoutError():
                return Failure("timeout", "no free slot in time", maybe_billed=False)
            case PydanticSerializationError():
                text = f"the request cannot be written as JSON: {error}"
                return Failure("rejected", text, maybe_billed=False)
        explained = explain_failure(error, now=datetime.now(UTC))
        if explained is not None:
            return explained
        # A mistake of ours or of a library: the turn hears that the call failed, operators read
        # the rest in the log.
        trace = self._redact("".join(format_exception(error)))
        _log.error("unexpected error in a call to provider '%s'\n%s", self.name, trace)
        text = f"unexpected {type(error).__name__}; the log holds the details"
        return Failure("malformed" if sent else "rejected", text, maybe_billed=sent)

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            if secret:  # an empty one would be found everywhere
                text = text.replace(secret, "***")
        return text


def _check_url(base_url: str, name: str) -> None:
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(
            f"provider '{name}': the base URL '{base_url}' is not valid;"
            " write one such as https://api.anthropic.com"
        )


def _milliseconds_since(started: float) -> float:
    return (perf_counter() - started) * 1000
