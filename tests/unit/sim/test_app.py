from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic_core import from_json, to_json
from starlette.types import ASGIApp

from interlock.sim import create_app, parse_rules

KEY = ((b"x-api-key", b"k"),)
HELLO = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
}


def app(rules: str = "rules: [{name: a, reply: {text: Hi}}]") -> ASGIApp:
    return create_app(parse_rules(rules.encode(), "sim.yaml"))


class Exchange:
    """One request over bare ASGI."""

    def __init__(self, method: str, path: str, *, query: bytes = b"", headers: Any = KEY) -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": list(headers),
        }
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[Any] = []

    def put(self, body: bytes, *, more: bool = False) -> None:
        self.received.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        self.received.put_nowait({"type": "http.disconnect"})

    async def run(self, served: ASGIApp) -> None:
        async def send(message: Any) -> None:
            self.sent.append(message)

        await served(self.scope, self.received.get, send)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


async def ask(served: ASGIApp, method: str, path: str, body: bytes = b"", **more: Any) -> Exchange:
    exchange = Exchange(method, path, **more)
    exchange.put(body)
    await exchange.run(served)
    return exchange


async def test_every_answer_says_that_it_is_simulated() -> None:
    served = app()
    for method, path in [
        ("POST", "/v1/messages"),
        ("GET", "/v1/models"),
        ("GET", "/"),
        ("GET", "/stats"),
        ("GET", "/nothing"),
    ]:
        exchange = await ask(served, method, path, to_json(HELLO))
        assert exchange.headers["x-interlock-simulator"] == "true"


async def test_the_front_page_says_what_this_is() -> None:
    exchange = await ask(app(), "GET", "/", headers=())

    assert exchange.status == 200
    assert b"This is the Interlock simulator, not a model." in exchange.body


async def test_health_needs_no_key() -> None:
    exchange = await ask(app(), "GET", "/healthz", headers=())

    assert (exchange.status, exchange.body) == (200, b'{"status":"ok"}')


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((), 401),
        (((b"x-api-key", b" "),), 401),
        (((b"authorization", b"Bearer "),), 401),
        (((b"authorization", b"Basic abc"),), 401),
        (((b"x-api-key", b"k"),), 200),
        (((b"authorization", b"bearer k"),), 200),
    ],
)
async def test_the_api_needs_a_key(headers: Any, status: int) -> None:
    exchange = await ask(app(), "POST", "/v1/messages", to_json(HELLO), headers=headers)

    assert exchange.status == status
    if status == 401:
        assert from_json(exchange.body)["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/messages", 405),
        ("POST", "/v1/models", 405),
        ("POST", "/v1/complete", 404),
        ("POST", "/", 404),
        ("GET", "/other", 404),
    ],
)
async def test_other_places_are_errors_of_the_api(method: str, path: str, status: int) -> None:
    exchange = await ask(app(), method, path)

    assert exchange.status == status
    found = from_json(exchange.body)
    assert found["type"] == "error"
    assert found["request_id"] == exchange.headers["request-id"]


async def test_a_body_in_parts_is_put_together() -> None:
    body = to_json(HELLO)
    exchange = Exchange("POST", "/v1/messages")
    exchange.put(body[:20], more=True)
    exchange.put(body[20:])

    await exchange.run(app())

    assert exchange.status == 200


async def test_a_body_above_32_megabytes_is_too_large() -> None:
    exchange = Exchange("POST", "/v1/messages")
    for _ in range(33):
        exchange.put(b"x" * 1024 * 1024, more=True)
    exchange.put(b"")

    await exchange.run(app())

    assert exchange.status == 413
    assert from_json(exchange.body)["error"]["type"] == "request_too_large"
    assert exchange.received.empty()


async def test_the_newest_requests_can_be_read() -> None:
    served = app()
    for text in ("one", "two", "three"):
        body = {**HELLO, "messages": [{"role": "user", "content": text}]}
        await ask(served, "POST", "/v1/messages", to_json(body))

    found = from_json((await ask(served, "GET", "/requests", query=b"last=2")).body)["requests"]
    assert [item["body"]["messages"][0]["content"] for item in found] == ["two", "three"]
    assert found[0]["rule"] == "a"
    everything = from_json((await ask(served, "GET", "/requests", query=b"last=x")).body)
    assert len(everything["requests"]) == 3


async def test_statistics_count_refused_requests_too() -> None:
    served = app()
    await ask(served, "POST", "/v1/messages", to_json(HELLO))
    await ask(served, "POST", "/v1/messages", to_json(HELLO), headers=())
    await ask(served, "POST", "/v1/messages", b"{")

    stats = from_json((await ask(served, "GET", "/stats")).body)

    assert stats["by_status"] == {"200": 1, "401": 1, "400": 1}


async def test_a_client_that_leaves_ends_the_wait() -> None:
    exchange = Exchange("POST", "/v1/messages")
    exchange.put(to_json(HELLO))
    exchange.leave()

    await exchange.run(app("latency: 60m\nrules: [{name: a, reply: {text: Hi}}]"))

    assert exchange.sent == []


async def test_an_answer_comes_after_its_latency() -> None:
    exchange = await ask(
        app("latency: 1ms\nrules: [{name: a, reply: {text: Hi}}]"),
        "POST",
        "/v1/messages",
        to_json(HELLO),
    )

    assert exchange.status == 200


async def test_closing_a_connection_needs_our_server() -> None:
    with pytest.raises(RuntimeError, match=r"only interlock\.sim\.serve"):
        await ask(app("rules: [{name: a, fault: drop}]"), "POST", "/v1/messages", to_json(HELLO))


async def test_the_server_may_announce_start_and_end() -> None:
    exchange = Exchange("", "")
    exchange.scope = {"type": "lifespan"}
    exchange.received.put_nowait({"type": "lifespan.startup"})
    exchange.received.put_nowait({"type": "lifespan.shutdown"})

    await exchange.run(app())

    assert [message["type"] for message in exchange.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
