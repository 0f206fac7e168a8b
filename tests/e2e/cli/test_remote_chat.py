"""Talking to a service over HTTP when the service, or what stands before it, misbehaves."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from interlock.cli.remote_chat import ServiceFailed, open_remote
from interlock.model.base import JsonObject

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def open_conversation(request: web.Request) -> web.Response:
    return web.json_response({"id": "conv_1"}, status=201)


def streaming(*chunks: str) -> Handler:
    async def send(request: web.Request) -> web.StreamResponse:
        assert request.headers["accept"] == "text/event-stream"
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk.encode())
        return response

    return send


async def ask(send: Handler) -> tuple[JsonObject, list[tuple[str, JsonObject]]]:
    """The answer of a service that handles messages so, and the events before it."""
    app = web.Application()
    app.router.add_post("/v1/conversations", open_conversation)
    app.router.add_post("/v1/conversations/conv_1/messages", send)
    heard: list[tuple[str, JsonObject]] = []
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        async with open_remote(url, "a", customer_id=None, session={}) as talk:
            answer = await talk.send("hi", lambda kind, view: heard.append((kind, view)))
    return answer, heard


async def test_progress_is_heard_before_the_answer() -> None:
    send = streaming(
        ": ping\n\nevent: plan\ndata: {",
        '"steps": []}\n\nevent: answer\n',
        'data: {"reply": "ok"}\n\n',
    )
    assert await ask(send) == ({"reply": "ok"}, [("plan", {"steps": []})])


async def test_an_answer_may_be_longer_than_a_buffer() -> None:
    long = "x" * 3_000_000
    answer, _ = await ask(streaming(f"event: answer\ndata: {json.dumps({'reply': long})}\n\n"))
    assert answer == {"reply": long}


async def test_an_error_in_the_stream_is_passed_on() -> None:
    problem = {"status": 503, "code": "store_unavailable", "detail": "try again"}
    with pytest.raises(ServiceFailed, match="the service says store_unavailable: try again"):
        await ask(streaming(f"event: error\ndata: {json.dumps(problem)}\n\n"))


async def test_a_stream_that_ends_early_is_not_an_answer() -> None:
    with pytest.raises(ServiceFailed, match="before the answer; the turn may go on"):
        await ask(streaming("event: plan\ndata: {}\n\n"))


async def test_a_proxys_page_is_not_taken_for_a_problem() -> None:
    async def fail(request: web.Request) -> web.Response:
        return web.Response(status=502, text="<h1>Bad Gateway</h1>", content_type="text/html")

    with pytest.raises(ServiceFailed, match="status 502 and no problem document"):
        await ask(fail)


async def test_a_connection_that_breaks_is_told() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        assert request.transport is not None
        request.transport.abort()
        return response

    with pytest.raises(ServiceFailed, match="no answer from http://"):
        await ask(cut)


async def test_the_customer_and_the_session_are_passed_on() -> None:
    asked: list[JsonObject] = []

    async def create(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return await open_conversation(request)

    app = web.Application()
    app.router.add_post("/v1/conversations", create)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        async with open_remote(url, "a", customer_id="C-1", session={"plan": "gold"}):
            pass
        async with open_remote(url, "a", customer_id=None, session={}):
            pass
    assert asked == [
        {"agent": "a", "customerId": "C-1", "session": {"plan": "gold"}},
        {"agent": "a", "session": {}},
    ]
