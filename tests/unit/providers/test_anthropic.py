from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic_core import from_json, to_json

from interlock.model.usage import Usage
from interlock.providers.anthropic import AnthropicProvider
from interlock.turn.ports import ModelFailure, ModelReply
from tests.unit.providers.events import block_start, delta, end, start, text, tool
from tests.unit.providers.model_server import (
    ModelServer,
    Request,
    Script,
    answer,
    api_error,
    drop,
    hang,
    reset,
    response,
    sse,
    stream,
)

KEY = "sk-ant-very-secret-key"

BODY = {
    "model": "claude-haiku-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Wo ist mein Päckchen? 📦"}],
}

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-5-5",
    "content": [
        {"type": "thinking", "thinking": "", "signature": "c2ln"},
        {"type": "text", "text": "Moment."},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"id": "ORD-1"}},
        {"type": "hologram", "depth": 3},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 6,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 2},
        "cache_read_input_tokens": 3,
        "output_tokens": 7,
        "service_tier": "standard",
    },
}

EVENTS = [start(), *text(0, "Mo", "ment."), *tool(1, '{"id": "O', 'RD-1"}'), *end("tool_use")]

PATIENCE = 20.0
"""For calls that must not run into their timeout."""


def make_provider(url: str, **options: Any) -> AnthropicProvider:
    settings: dict[str, Any] = {
        "name": "main",
        "base_url": url,
        "api_key": KEY,
        "timeout_seconds": PATIENCE,
        "max_concurrency": 4,
        "stream": False,
        "headers": {},
    }
    return AnthropicProvider(**(settings | options))


@asynccontextmanager
async def provider(url: str, **options: Any) -> AsyncIterator[AnthropicProvider]:
    made = make_provider(url, **options)
    try:
        yield made
    finally:
        await made.close()


async def call(
    script: Script, *, timeout_seconds: float = PATIENCE, **options: Any
) -> ModelReply | ModelFailure:
    async with ModelServer(script) as server, provider(server.url, **options) as made:
        return await made.call(BODY, timeout_seconds=timeout_seconds)


async def fail(script: Script, **options: Any) -> ModelFailure:
    found = await call(script, **options)
    assert isinstance(found, ModelFailure)
    assert found.latency_ms > 0
    assert found.message.startswith("provider 'main': ")
    assert KEY not in found.message
    return found


async def succeed(script: Script, **options: Any) -> ModelReply:
    found = await call(script, **options)
    assert isinstance(found, ModelReply), found
    assert found.latency_ms > 0
    return found


# What is sent.


async def test_sends_the_body_as_it_is_to_the_messages_endpoint() -> None:
    async with ModelServer(answer(200, MESSAGE)) as server, provider(server.url) as made:
        await made.call(BODY, timeout_seconds=PATIENCE)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert request.body == to_json(BODY)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.body))
    assert request.headers["anthropic-version"]


async def test_asks_for_a_stream_in_the_body() -> None:
    async with (
        ModelServer(stream(EVENTS)) as server,
        provider(server.url, stream=True) as made,
    ):
        await made.call(BODY, timeout_seconds=PATIENCE)
    (request,) = server.requests
    assert from_json(request.body) == BODY | {"stream": True}
    assert request.headers["content-type"] == "application/json"


async def test_sends_the_declared_headers_also_in_place_of_its_own() -> None:
    headers = {"x-team": "shop", "anthropic-version": "2023-06-01"}
    async with (
        ModelServer(answer(200, MESSAGE)) as server,
        provider(server.url, headers=headers) as made,
    ):
        await made.call(BODY, timeout_seconds=PATIENCE)
    (request,) = server.requests
    assert request.headers["x-team"] == "shop"
    assert request.headers["anthropic-version"] == "2023-06-01"


async def test_a_base_url_may_have_a_path() -> None:
    async with ModelServer(answer(200, MESSAGE)) as server, provider(server.url + "/llm") as made:
        await made.call(BODY, timeout_seconds=PATIENCE)
    assert server.requests[0].path == "/llm/v1/messages"


@pytest.mark.parametrize(
    ("script", "streamed"), [(answer(200, MESSAGE), False), (stream(EVENTS), True)]
)
async def test_uses_one_connection_again(script: Script, streamed: bool) -> None:
    async with ModelServer(script) as server, provider(server.url, stream=streamed) as made:
        for _ in range(3):
            await made.call(BODY, timeout_seconds=PATIENCE)
    assert len(server.requests) == 3
    assert server.connections == 1


@pytest.mark.parametrize("status", [429, 500, 529])
async def test_never_tries_again_by_itself(status: int) -> None:
    script = answer(status, api_error("api_error", "no"), headers=[("x-should-retry", "true")])
    async with ModelServer(script) as server, provider(server.url) as made:
        await made.call(BODY, timeout_seconds=PATIENCE)
    assert len(server.requests) == 1


# What is understood.


async def test_reads_a_plain_reply_as_it_came() -> None:
    reply = await succeed(answer(200, MESSAGE, headers=[("request-id", "req_1")]))
    assert reply.content == MESSAGE["content"]
    assert reply.stop_reason == "tool_use"
    assert reply.request_id == "req_1"
    assert reply.stop_details is None
    assert reply.usage == Usage(
        input=10, cache_write_5m=4, cache_write_1h=2, cache_read=3, output=7
    )


async def test_reads_the_details_of_a_refusal() -> None:
    details = {"type": "refusal", "category": "cyber"}
    reply = await succeed(
        answer(200, MESSAGE | {"stop_reason": "refusal", "stop_details": details})
    )
    assert (reply.stop_reason, reply.stop_details) == ("refusal", details)


async def test_reads_a_streamed_reply() -> None:
    reply = await succeed(stream(EVENTS), stream=True)
    assert reply.content == [
        {"type": "text", "text": "Moment."},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"id": "ORD-1"}},
    ]
    assert reply.stop_reason == "tool_use"
    assert reply.usage == Usage(input=11, output=9)
    assert reply.request_id == "req_stream"


async def test_passes_unknown_blocks_of_a_stream_through() -> None:
    events = [
        start(),
        {"type": "ping"},
        block_start(0, {"type": "hologram", "depth": 3}),
        delta(0, "depth_delta", depth=4),
        *end(),
    ]
    reply = await succeed(stream(events), stream=True)
    assert reply.content == [{"type": "hologram", "depth": 3}]


async def test_a_drop_after_the_end_of_the_message_loses_nothing() -> None:
    reply = await succeed(stream(EVENTS, end="drop"), stream=True)
    assert reply.stop_reason == "tool_use"


# Errors that the server names.


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("status", "error_type", "kind", "maybe_billed"),
    [
        (400, "invalid_request_error", "rejected", False),
        (401, "authentication_error", "rejected", False),
        (402, "billing_error", "rejected", False),
        (403, "permission_error", "rejected", False),
        (404, "not_found_error", "rejected", False),
        (408, "timeout_error", "server", False),
        (409, "conflict_error", "server", False),
        (413, "request_too_large", "rejected", False),
        (418, "teapot_error", "rejected", False),
        (422, "invalid_request_error", "rejected", False),
        (429, "rate_limit_error", "rate_limit", False),
        (500, "api_error", "server", False),
        (502, "api_error", "server", True),
        (503, "api_error", "overloaded", False),
        (504, "timeout_error", "server", True),
        (529, "overloaded_error", "overloaded", False),
    ],
)
async def test_sorts_an_error_by_its_status(
    streamed: bool, status: int, error_type: str, kind: str, maybe_billed: bool
) -> None:
    script = answer(
        status, api_error(error_type, "Because of this."), headers=[("request-id", "req_9")]
    )
    failure = await fail(script, stream=streamed)
    assert (failure.kind, failure.maybe_billed) == (kind, maybe_billed)
    assert failure.status == status
    assert failure.request_id == "req_9"
    assert failure.retry_after_seconds is None
    assert failure.message == (
        f"provider 'main': the server answered {status} ({error_type}): Because of this."
    )


@pytest.mark.parametrize("code", ["contract_spend_limit_reached", "enforced_spend_limit_reached"])
async def test_a_spent_account_is_rejected_although_its_status_is_429(code: str) -> None:
    failure = await fail(answer(429, api_error("rate_limit_error", "Spent.", error_code=code)))
    assert failure.kind == "rejected"
    assert code in failure.message


async def test_a_ramp_limit_is_a_rate_limit() -> None:
    body = api_error("rate_limit_error", "Slowly.", error_code="ramp_limit_exceeded")
    assert (await fail(answer(429, body))).kind == "rate_limit"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("retry-after", "7")], 7.0),
        ([("retry-after-ms", "250"), ("retry-after", "7")], 0.25),
        ([("retry-after", "soon")], None),
        ([], None),
    ],
)
async def test_hands_over_how_long_the_server_asks_to_wait(
    headers: list[tuple[str, str]], seconds: float | None
) -> None:
    failure = await fail(answer(429, api_error("rate_limit_error", "Slowly."), headers=headers))
    assert failure.retry_after_seconds == seconds


async def test_understands_a_date_to_wait_for() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    failure = await fail(answer(529, b"", headers=[("retry-after", date)]))
    assert failure.retry_after_seconds is not None
    assert 3500 < failure.retry_after_seconds <= 3600


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b"<html>\n  Bad   gateway</html>", ": <html> Bad gateway</html>"),
        (b'{"detail": "no such model"}', ': {"detail": "no such model"}'),
        (b'{"error": "no such model"}', ': {"error": "no such model"}'),
        (b'{"error": {"type": [1], "message": {"a": 1}}}', ': {"error": {"type": [1], '),
        (b'{"error": {"message": "bad \\ud800 text"}}', ": bad ? text"),
        (b"[1, 2]", ": [1, 2]"),
        (b"x" * 5000, ": " + "x" * 300 + "..."),
    ],
)
async def test_shows_errors_of_other_servers(body: bytes, shown: str) -> None:
    failure = await fail(answer(404, body))
    assert failure.kind == "rejected"
    assert failure.message.startswith(f"provider 'main': the server answered 404{shown}")
    failure.message.encode()


async def test_never_shows_the_key_or_a_header() -> None:
    text_ = f"Key {KEY} and proxy-secret-1 are not known here."
    failure = await fail(
        answer(401, api_error("authentication_error", text_)),
        headers={"x-proxy-key": "proxy-secret-1"},
    )
    assert failure.message.endswith("Key *** and *** are not known here.")


async def test_an_empty_key_redacts_nothing() -> None:
    failure = await fail(answer(401, api_error("authentication_error", "No key.")), api_key="")
    assert failure.message.endswith("No key.")


@pytest.mark.parametrize(
    ("error_type", "kind"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limit"),
        ("api_error", "server"),
        ("timeout_error", "server"),
        ("brand_new_error", "server"),
        ("invalid_request_error", "rejected"),
        ("authentication_error", "rejected"),
        ("permission_error", "rejected"),
        ("billing_error", "rejected"),
        ("not_found_error", "rejected"),
    ],
)
async def test_sorts_an_error_inside_a_stream_by_its_type(error_type: str, kind: str) -> None:
    events = [start(), *text(0, "half"), api_error(error_type, "Stop.")]
    failure = await fail(stream(events), stream=True)
    assert failure.kind == kind
    assert failure.status == 200
    assert failure.maybe_billed
    assert failure.request_id == "req_stream"
    assert failure.message.endswith(f"broke off the stream ({error_type}): Stop.")


async def test_an_error_inside_a_stream_need_not_be_json() -> None:
    events = [start(), b"event: error\ndata: gone away\n\n"]
    failure = await fail(stream(events), stream=True)
    assert (failure.kind, failure.maybe_billed) == ("server", True)
    assert failure.message.endswith("gone away")


# Connections that break.


async def closed_url() -> str:
    async with ModelServer(drop) as server:
        return server.url


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_connection_that_cannot_be_made_bills_nothing(streamed: bool) -> None:
    async with provider(await closed_url(), stream=streamed) as made:
        failure = await made.call(BODY, timeout_seconds=PATIENCE)
    assert isinstance(failure, ModelFailure)
    assert (failure.kind, failure.maybe_billed) == ("connection", False)
    assert failure.status is None
    assert "no connection: Cannot connect to host 127.0.0.1" in failure.message


async def cut_body(request: Request, writer: asyncio.StreamWriter) -> None:
    content = to_json(MESSAGE)
    writer.write(response(200, content[:40], length=len(content)))
    writer.close()


async def no_http(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("script", [drop, reset, cut_body, no_http])
async def test_a_connection_that_breaks_may_have_been_billed(
    script: Script, streamed: bool
) -> None:
    failure = await fail(script, stream=streamed)
    assert (failure.kind, failure.maybe_billed) == ("connection", True)
    assert failure.status is None


@pytest.mark.parametrize("end_", ["clean", "drop"])
@pytest.mark.parametrize(
    "events", [[], [start()], [start(), *text(0, "half")], [start(), *tool(0, '{"a": ')]]
)
async def test_a_truncated_stream_is_a_broken_connection(events: list[Any], end_: str) -> None:
    failure = await fail(stream(events, end=end_), stream=True)
    assert (failure.kind, failure.maybe_billed) == ("connection", True)
    assert failure.request_id == "req_stream"


async def test_a_plain_reply_to_a_streamed_request_is_no_stream() -> None:
    failure = await fail(answer(200, MESSAGE), stream=True)
    assert (failure.kind, failure.maybe_billed) == ("connection", True)


async def test_works_again_after_a_broken_connection() -> None:
    async with ModelServer(drop) as server, provider(server.url) as made:
        assert isinstance(await made.call(BODY, timeout_seconds=PATIENCE), ModelFailure)
        server.script = answer(200, MESSAGE)
        assert isinstance(await made.call(BODY, timeout_seconds=PATIENCE), ModelReply)


# Answers that are no message.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>OK</html>",
        to_json(MESSAGE)[:-5],
        b"[]",
        b"null",
        b"\xff\xfe",
        to_json(MESSAGE).replace(b'"depth":3', b'"depth":NaN'),
        to_json(MESSAGE).replace(b"Moment.", b"\\ud800"),
        to_json({key: it for key, it in MESSAGE.items() if key != "content"}),
        to_json({key: it for key, it in MESSAGE.items() if key != "usage"}),
        to_json({key: it for key, it in MESSAGE.items() if key != "stop_reason"}),
        to_json(MESSAGE | {"content": {"type": "text"}}),
        to_json(MESSAGE | {"stop_reason": None}),
        to_json(MESSAGE | {"usage": {"input_tokens": "many", "output_tokens": 1}}),
        b"[" * 100_000,
    ],
)
async def test_an_answer_that_is_no_message_is_malformed(body: bytes) -> None:
    failure = await fail(answer(200, body, headers=[("request-id", "req_1")]))
    assert (failure.kind, failure.maybe_billed) == ("malformed", True)
    assert failure.status is None
    assert failure.request_id == "req_1"


async def test_an_answer_that_cannot_be_unpacked_is_malformed() -> None:
    failure = await fail(answer(200, b"not gzip", headers=[("content-encoding", "gzip")]))
    assert (failure.kind, failure.maybe_billed) == ("malformed", True)


@pytest.mark.parametrize(
    "events",
    [
        [start(), b"event: message_delta\ndata: {broken\n\n"],
        [start(), b"event: message_delta\ndata: \xff\xfe\n\n"],
        [start(), b"event: message_delta\ndata: [1]\n\n"],
        [start(), *tool(0, "{broken"), *end("tool_use")],
        [start(), delta(0, "text_delta", text="no start"), *end()],
        [start(input_tokens="many"), *end()],
        [start(), *text(0, "\ud800"), *end()],
    ],
)
async def test_a_stream_that_is_no_message_is_malformed(events: list[Any]) -> None:
    failure = await fail(stream(events), stream=True)
    assert (failure.kind, failure.maybe_billed) == ("malformed", True)
    assert failure.request_id == "req_stream"


async def test_a_stream_nested_too_deeply_is_malformed_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = b"[" * 100_000
    events = [start(), b"event: message_delta\ndata: " + data + b"\n\n"]
    with caplog.at_level(logging.ERROR, logger="interlock.providers.anthropic"):
        failure = await fail(stream(events), stream=True)
    assert (failure.kind, failure.maybe_billed) == ("malformed", True)
    assert "RecursionError" in failure.message
    assert "RecursionError" in caplog.text
    assert KEY not in caplog.text


# Requests that cannot be sent.


async def test_a_body_that_is_no_json_is_rejected() -> None:
    async with ModelServer(answer(200, MESSAGE)) as server, provider(server.url) as made:
        failure = await made.call({"messages": "\ud800"}, timeout_seconds=PATIENCE)
    assert isinstance(failure, ModelFailure)
    assert (failure.kind, failure.maybe_billed) == ("rejected", False)
    assert server.requests == []


@pytest.mark.parametrize("key", [KEY + "\n", KEY + "\r\nx: y", KEY + "\ud800"])
async def test_a_key_that_no_header_can_hold_is_rejected_without_showing_it(key: str) -> None:
    async with ModelServer(answer(200, MESSAGE)) as server, provider(server.url, api_key=key) as it:
        failure = await it.call(BODY, timeout_seconds=PATIENCE)
    assert isinstance(failure, ModelFailure)
    assert (failure.kind, failure.maybe_billed) == ("rejected", False)
    assert KEY not in failure.message
    assert server.requests == []


@pytest.mark.parametrize(
    "url", ["", "models.example.com", "ftp://models.example.com", "http://", "http://[::"]
)
def test_a_base_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"provider 'main': the base URL .* is not valid"):
        make_provider(url)


# Time.


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_server_that_never_answers_is_a_timeout(streamed: bool) -> None:
    failure = await fail(hang, stream=streamed, timeout_seconds=0.2)
    assert (failure.kind, failure.maybe_billed) == ("timeout", True)


async def trickle_reply(request: Request, writer: asyncio.StreamWriter) -> None:
    """A good answer, but byte by byte over seconds, so that no single read ever times out."""
    content = b" " * 300 + to_json(MESSAGE)
    writer.write(response(200, b"", length=len(content)))
    await trickle(content, writer)


async def trickle_stream(request: Request, writer: asyncio.StreamWriter) -> None:
    """A good stream, slow in the same way."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    await trickle(b":\n" * 150 + sse(EVENTS), writer)
    writer.close()


async def trickle(content: bytes, writer: asyncio.StreamWriter) -> None:
    for place in range(300):
        writer.write(content[place : place + 1])
        await writer.drain()
        await asyncio.sleep(0.01)
    writer.write(content[300:])


@pytest.mark.parametrize(("script", "streamed"), [(trickle_reply, False), (trickle_stream, True)])
async def test_an_answer_that_trickles_in_is_bounded_as_a_whole(
    script: Script, streamed: bool
) -> None:
    failure = await fail(script, stream=streamed, timeout_seconds=0.3)
    assert (failure.kind, failure.maybe_billed) == ("timeout", True)


async def test_the_timeout_of_the_provider_holds_as_well() -> None:
    async with (
        ModelServer(trickle_reply) as server,
        provider(server.url, timeout_seconds=0.3) as made,
    ):
        failure = await made.call(BODY, timeout_seconds=PATIENCE)
    assert isinstance(failure, ModelFailure)
    assert (failure.kind, failure.maybe_billed) == ("timeout", True)


async def test_waiting_for_a_free_slot_counts_and_bills_nothing() -> None:
    async with ModelServer(hang) as server, provider(server.url, max_concurrency=1) as made:
        first = asyncio.create_task(made.call(BODY, timeout_seconds=PATIENCE))
        await server.received.wait()
        failure = await made.call(BODY, timeout_seconds=0.1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert isinstance(failure, ModelFailure)
    assert (failure.kind, failure.maybe_billed) == ("timeout", False)
    assert len(server.requests) == 1


async def test_no_time_at_all_is_a_timeout_before_anything_is_sent() -> None:
    async with ModelServer(answer(200, MESSAGE)) as server, provider(server.url) as made:
        failure = await made.call(BODY, timeout_seconds=0.0)
    assert isinstance(failure, ModelFailure)
    assert failure.kind == "timeout"
    assert server.requests == []


async def test_never_more_calls_at_once_than_declared() -> None:
    running = 0
    most = 0

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(20):
            await asyncio.sleep(0)
        running -= 1
        await answer(200, MESSAGE)(request, writer)

    async with ModelServer(script) as server, provider(server.url, max_concurrency=3) as made:
        found = await asyncio.gather(
            *(made.call(BODY, timeout_seconds=PATIENCE) for _ in range(12))
        )
    assert all(isinstance(reply, ModelReply) for reply in found)
    assert len(server.requests) == 12
    assert most <= 3
    assert server.connections <= 3


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cancelled_call_frees_its_slot(streamed: bool) -> None:
    async with (
        ModelServer(stream([start()], end="hang")) as server,
        provider(server.url, max_concurrency=1, stream=streamed) as made,
    ):
        task = asyncio.create_task(made.call(BODY, timeout_seconds=PATIENCE))
        await server.received.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.script = stream(EVENTS) if streamed else answer(200, MESSAGE)
        assert isinstance(await made.call(BODY, timeout_seconds=PATIENCE), ModelReply)


async def test_a_reply_survives_being_recorded() -> None:
    reply = await succeed(stream(EVENTS), stream=True)
    assert ModelReply.from_json(from_json(to_json(reply.to_json()))) == reply
    failure = await fail(answer(529, b""))
    assert ModelFailure.from_json(from_json(to_json(failure.to_json()))) == failure
