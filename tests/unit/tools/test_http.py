from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from interlock.model.result import ToolResult
from interlock.model.tool import Tool
from interlock.tools.toolbox import Toolbox
from tests.unit.tools.conftest import Build
from tests.unit.tools.declared import http
from tests.unit.tools.upstream import (
    Request,
    Script,
    Upstream,
    answer,
    drop,
    flood,
    garbage,
    hang,
    in_order,
    reset,
    slow_headers,
    truncated,
    zipped_flood,
)

MUTATING = ("POST", "PUT", "PATCH", "DELETE")


def retrying(attempts: int, **keys: Any) -> Tool:
    return http(retry={"attempts": attempts, "delay": "1ms"}, **keys)


async def call(toolbox: Toolbox, timeout_seconds: float = 5.0, **input: Any) -> ToolResult:
    input.setdefault("order_id", "ORD-1")
    return await toolbox.call(
        "look", input, timeout_seconds=timeout_seconds, session={}, idempotency_key="look:1"
    )


@asynccontextmanager
async def upstream(
    build: Build, script: Script, tool: Tool | None = None
) -> AsyncIterator[tuple[Upstream, Toolbox]]:
    async with Upstream(script) as server:
        toolbox = build(tool or http(), env={"SHOP_URL": server.url})
        yield server, toolbox
        await toolbox.close()


async def ask(
    build: Build, script: Script, tool: Tool | None = None, *, timeout_seconds: float = 5.0
) -> tuple[ToolResult, list[Request]]:
    """The result of one call, and the requests that the service got."""
    async with upstream(build, script, tool) as (server, toolbox):
        return await call(toolbox, timeout_seconds), server.requests


async def test_a_read_sends_one_request_and_returns_its_json(build: Build) -> None:
    result, requests = await ask(build, answer(200, {"status": "shipped"}))
    assert (result.status, result.data, result.effect) == ("success", {"status": "shipped"}, "none")
    assert result.attempts == 1
    assert result.latency_ms > 0
    [request] = requests
    assert (request.method, request.path) == ("GET", "/orders/ORD-1")
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"] == "interlock"
    assert request.body == b""


async def test_a_mutation_sends_the_input_and_the_key(build: Build) -> None:
    tool = http("mutation", tool={"idempotency": {"header": "Idempotency-Key"}})
    result, [request] = await ask(build, answer(201, {"id": "RET-1"}), tool)
    assert (result.status, result.effect, result.attempts) == ("success", "applied", 1)
    assert json.loads(request.body) == {"order_id": "ORD-1"}
    assert request.headers["idempotency-key"] == "look:1"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("ORD-1/../../admin", "/orders/ORD-1%2F..%2F..%2Fadmin"),
        ("../", "/orders/..%2F"),
        ("%2e%2e", "/orders/%252e%252e"),
        ("?x=1", "/orders/%3Fx%3D1"),
        ("#", "/orders/%23"),
        (" HTTP/1.1\r\nX: y\r\n\r\n", "/orders/%20HTTP%2F1.1%0D%0AX%3A%20y%0D%0A%0D%0A"),
    ],
)
async def test_the_path_goes_over_the_wire_as_it_was_encoded(
    build: Build, value: str, path: str
) -> None:
    async with upstream(build, answer()) as (server, toolbox):
        assert (await call(toolbox, order_id=value)).status == "success"
        assert [request.path for request in server.requests] == [path]


@pytest.mark.parametrize("value", ["", ".", "..", None])
async def test_an_input_that_is_refused_sends_nothing(build: Build, value: Any) -> None:
    async with upstream(build, answer(), http("mutation")) as (server, toolbox):
        result = await call(toolbox, order_id=value)
        assert (result.status, result.effect, result.attempts) == ("error", "none", 0)
        assert "input.order_id" in (result.message or "")
        assert server.requests == []


async def test_a_header_cannot_be_injected(build: Build) -> None:
    tool = http(headers={"X-Customer": "{{ input.customer }}"})
    async with upstream(build, answer(), tool) as (server, toolbox):
        result = await call(toolbox, customer="1\r\nX-Admin: yes")
        assert "invalid value for header 'X-Customer'" in (result.message or "")
        assert server.requests == []


async def test_a_template_that_breaks_sends_nothing(build: Build) -> None:
    tool = http("mutation", url="/x", query={"n": "{{ 1 / input.n }}"})
    async with upstream(build, answer(), tool) as (server, toolbox):
        result = await call(toolbox, n=0)
        assert (result.effect, result.attempts, result.retryable) == ("none", 0, False)
        assert "ZeroDivisionError" in (result.message or "")
        assert server.requests == []


async def test_connections_of_reads_are_kept(build: Build) -> None:
    async with upstream(build, answer(200, {})) as (server, toolbox):
        await call(toolbox)
        await call(toolbox)
        assert server.connections == 1


async def test_cookies_are_not_kept(build: Build) -> None:
    async with Upstream(answer(200, {}, headers={"set-cookie": "session=1"})) as server:
        # Cookies of a bare address would not be kept by any client.
        url = server.url.replace("127.0.0.1", "localhost")
        toolbox = build(http(), env={"SHOP_URL": url})
        await call(toolbox)
        await call(toolbox)
        await toolbox.close()
        assert len(server.requests) == 2
        assert "cookie" not in server.requests[1].headers


async def test_each_mutation_has_a_connection_of_its_own(build: Build) -> None:
    async with upstream(build, answer(200, {}), http("mutation")) as (server, toolbox):
        await call(toolbox)
        await call(toolbox)
        assert server.connections == 2


@pytest.mark.parametrize("failure", [answer(s) for s in (429, 500, 502, 503, 504)] + [drop, reset])
async def test_a_read_is_tried_again(build: Build, failure: Script) -> None:
    script = in_order(failure, failure, answer(200, {"a": 1}))
    result, requests = await ask(build, script, retrying(3))
    assert (result.status, result.data, result.attempts) == ("success", {"a": 1}, 3)
    assert len(requests) == 3


@pytest.mark.parametrize("failure", [answer(503), drop, reset, truncated])
async def test_a_read_is_tried_no_more_often_than_declared(build: Build, failure: Script) -> None:
    for attempts in (1, 2):
        result, requests = await ask(build, failure, retrying(attempts))
        assert (result.status, result.retryable) == ("error", True)
        assert (result.attempts, len(requests)) == (attempts, attempts)


@pytest.mark.parametrize("status", [400, 404, 422, 501])
async def test_a_final_answer_is_not_asked_for_twice(build: Build, status: int) -> None:
    result, requests = await ask(build, answer(status), retrying(5))
    assert not result.retryable
    assert len(requests) == 1


@pytest.mark.parametrize("failure", [garbage, answer(200, b"<html>")])
async def test_an_answer_that_nobody_can_read_is_final(build: Build, failure: Script) -> None:
    result, requests = await ask(build, failure, retrying(5))
    assert (result.status, result.retryable, result.effect) == ("error", False, "none")
    assert "something that is not" in (result.message or "")
    assert len(requests) == 1


@pytest.mark.parametrize("method", MUTATING)
@pytest.mark.parametrize(
    ("failure", "retryable", "effect"),
    [
        (answer(400), False, "none"),
        (answer(429), True, "none"),
        (answer(503), False, "unknown"),
        (answer(500), False, "unknown"),
        (answer(502), False, "unknown"),
        (answer(504), False, "unknown"),
        (answer(200, b"<html>"), False, "unknown"),
        (answer(302, headers={"location": "/other"}), False, "unknown"),
        (answer(307, headers={"location": "/other"}), False, "none"),
        (drop, False, "unknown"),
        (reset, False, "unknown"),
        (truncated, False, "unknown"),
        (garbage, False, "unknown"),
    ],
)
async def test_a_mutation_is_sent_exactly_once(
    build: Build, method: str, failure: Script, retryable: bool, effect: str
) -> None:
    tool = http("mutation", method=method, retry={"attempts": 5, "delay": "1ms"})
    result, requests = await ask(build, failure, tool)
    assert (result.status, result.retryable, result.effect) == ("error", retryable, effect)
    assert ("do not repeat it" in (result.message or "")) == (effect == "unknown")
    assert (len(requests), result.attempts) == (1, 1)


@pytest.mark.parametrize("silent", [hang, slow_headers])
async def test_a_silent_service_runs_into_the_bound(build: Build, silent: Script) -> None:
    result, requests = await ask(build, silent, retrying(5), timeout_seconds=0.4)
    assert result.message == "no answer within 0.4 s"
    assert (result.retryable, result.effect, result.attempts) == (True, "none", 1)
    result, requests = await ask(build, silent, http("mutation"), timeout_seconds=0.4)
    assert (result.retryable, result.effect, len(requests)) == (False, "unknown", 1)
    assert "do not repeat it" in (result.message or "")


async def test_the_bound_covers_all_attempts(build: Build) -> None:
    script = in_order(answer(503), answer(503), hang)
    result, requests = await ask(build, script, retrying(5), timeout_seconds=0.6)
    assert result.message == "no answer within 0.6 s"
    assert (result.attempts, len(requests)) == (3, 3)


async def test_a_wait_beyond_the_bound_gives_the_answer_at_once(build: Build) -> None:
    script = answer(503, {"detail": "busy"}, headers={"retry-after": "3600"})
    result, requests = await ask(build, script, retrying(5), timeout_seconds=30.0)
    assert "busy; it asks to wait 3600 s" in (result.message or "")
    assert (result.retryable, len(requests)) == (True, 1)


@pytest.mark.parametrize("category", ["lookup", "mutation"])
async def test_a_refused_connection_changed_nothing(build: Build, category: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        toolbox = build(
            http(category, retry={"attempts": 2, "delay": "1ms"}), env={"SHOP_URL": url}
        )
        result = await call(toolbox)
    assert (result.status, result.retryable, result.effect) == ("error", True, "none")
    assert result.message == "the service could not be reached: connection refused"
    assert result.attempts == (2 if category == "lookup" else 1)


async def test_a_connection_that_is_never_made_changed_nothing(build: Build) -> None:
    # Behind a full backlog the kernel neither accepts nor refuses.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        toolbox = build(http("mutation"), env={"SHOP_URL": f"http://127.0.0.1:{port}"})
        result = await call(toolbox, 0.1)
        for each in waiting:
            each.close()
    assert (result.retryable, result.effect) == (True, "none")
    assert result.message == "no answer within 0.1 s"


async def test_a_name_that_does_not_exist_says_so(build: Build) -> None:
    toolbox = build(http("mutation"), env={"SHOP_URL": "http://shop.invalid"})
    result = await call(toolbox, 60.0)
    assert result.message == "the service could not be reached: its name cannot be resolved"
    assert (result.retryable, result.effect) == (True, "none")


async def test_a_service_without_tls_changed_nothing(build: Build) -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        toolbox = build(http("mutation"), env={"SHOP_URL": f"https://127.0.0.1:{port}"})
        result = await call(toolbox)
    assert (result.status, result.retryable, result.effect) == ("error", True, "none")
    assert "ClientConnectorSSLError" in (result.message or "")


async def test_an_answer_that_is_too_large_is_not_read_to_the_end(build: Build) -> None:
    script = flood(20_000_000)
    result, _ = await ask(build, script, http(max_bytes=100_000))
    assert result.message == "the service's answer is larger than 100000 bytes"
    assert (result.status, result.retryable) == ("error", False)
    await script.ended.wait()
    assert script.sent < script.total


async def test_an_answer_of_unknown_length_is_bounded_as_well(build: Build) -> None:
    script = flood(2_097_152, declared=False)
    result, _ = await ask(build, script)
    assert result.message == "the service's answer is larger than 1048576 bytes"


async def test_a_body_is_measured_unpacked(build: Build) -> None:
    result, _ = await ask(build, zipped_flood(50_000_000), http(max_bytes=100_000))
    assert result.message == "the service's answer is larger than 100000 bytes"


async def test_an_error_page_of_any_size_keeps_its_status(build: Build) -> None:
    result, _ = await ask(build, answer(404, b"x" * 2_000_000))
    assert result.status == "not_found"
    assert result.message == "the service answered 404 Not Found"


async def test_a_redirect_on_the_same_host_is_followed(build: Build) -> None:
    script = in_order(
        answer(301, headers={"location": "/a/b%2Fc"}),
        answer(307, headers={"location": "d?e=%26"}),
        answer(200, {"here": True}),
    )
    tool = http(headers={"X-Customer": "7"})
    result, requests = await ask(build, script, tool)
    assert result.data == {"here": True}
    assert [request.path for request in requests] == ["/orders/ORD-1", "/a/b%2Fc", "/a/d?e=%26"]
    assert {request.headers["x-customer"] for request in requests} == {"7"}
    assert result.attempts == 1


@pytest.mark.parametrize(
    ("status", "method", "body"), [(303, "GET", b""), (302, "GET", b""), (307, "POST", b"{}")]
)
async def test_a_redirected_search_keeps_to_the_rules_of_http(
    build: Build, status: int, method: str, body: bytes
) -> None:
    script = in_order(answer(status, headers={"location": "/found"}), answer(200, []))
    tool = http("search", method="POST", url="/search", body={})
    result, [_, second] = await ask(build, script, tool)
    assert result.status == "success"
    assert (second.method, second.body) == (method, body)
    assert ("content-type" in second.headers) == (body != b"")


async def test_redirects_come_to_an_end(build: Build) -> None:
    result, requests = await ask(build, answer(302, headers={"location": "/again"}), retrying(5))
    assert (result.status, result.retryable, len(requests)) == ("error", False, 4)
    assert "a redirect to /again that is not followed" in (result.message or "")


async def test_a_redirect_to_another_host_is_not_followed(build: Build) -> None:
    async with Upstream(answer(200, {"stolen": True})) as other:
        for location in (other.url, f"//{other.url[7:]}/x", "https://shop.test/", "http://[bad"):
            tool = retrying(3, headers={"Authorization": "Bearer secret"})
            script = answer(302, headers={"location": location})
            result, requests = await ask(build, script, tool)
            assert (result.status, len(requests)) == ("error", 1)
            assert "that is not followed" in (result.message or "")
        assert other.requests == []


async def test_a_cancelled_call_is_cancelled(build: Build) -> None:
    async with upstream(build, hang) as (server, toolbox):
        task = asyncio.create_task(call(toolbox, 60))
        await server.received.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_calls_run_together(build: Build) -> None:
    both = asyncio.Barrier(2)

    async def meet(request: Request, writer: asyncio.StreamWriter) -> None:
        await both.wait()
        await answer(200, request.path)(request, writer)

    async with upstream(build, meet) as (_, toolbox):
        results = await asyncio.gather(call(toolbox, order_id="a"), call(toolbox, order_id="b"))
    assert [result.data for result in results] == ["/orders/a", "/orders/b"]


async def test_credentials_in_the_address_are_sent_and_never_shown(build: Build) -> None:
    async with Upstream(answer(500, {"detail": "broken"})) as server:
        url = server.url.replace("http://", "http://user:pa%2Fss@")
        toolbox = build(http(), env={"SHOP_URL": url})
        result = await call(toolbox)
        [request] = server.requests
        await toolbox.close()
    assert request.headers["authorization"].startswith("Basic ")
    assert request.path == "/orders/ORD-1"
    assert "pa" not in (result.message or "")
