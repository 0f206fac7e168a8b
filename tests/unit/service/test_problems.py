from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import httpx2
import pytest

from interlock.errors import ConfigError, StoreError, UnknownAgent
from interlock.runtime import ShuttingDown, TurnInterrupted
from interlock.service.schemas import Problem
from tests.unit.service.fakes import FakeRuntime

MESSAGES = "/v1/conversations/conv_1/messages"
JSON = {"content-type": "application/json"}


def problem(answer: httpx2.Response, status: int, code: str) -> Problem:
    """The problem document, which must be what it says and what the API describes."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate_json(answer.content)
    assert (found.status, found.code) == (status, code)
    assert found.type == f"urn:interlock:error:{code}"
    assert found.instance == f"urn:interlock:request:{answer.headers['x-request-id']}"
    assert found.title
    assert found.detail
    return found


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nonsense", b'{"text": "a"} x', b"\xff\xfe", b'{"text": "\\ud800"}']
)
async def test_malformed_json_is_named(client: httpx2.AsyncClient, body: bytes) -> None:
    answer = await client.post(MESSAGES, content=body, headers=JSON)
    assert "not valid JSON" in problem(answer, 400, "malformed_json").detail


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"]
)
async def test_only_json_is_read(client: httpx2.AsyncClient, content_type: str) -> None:
    answer = await client.post(
        MESSAGES, content=b'{"text": "a"}', headers={"content-type": content_type}
    )
    problem(answer, 415, "unsupported_media_type")


async def test_a_charset_does_no_harm(client: httpx2.AsyncClient) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = await client.post(MESSAGES, content=b'{"text": "a"}', headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["text"]),
        ({"text": ""}, ["text"]),
        ({"text": "a", "extra": 1}, ["extra"]),
        ({"txt": "a"}, ["text", "txt"]),
        ([], ["body"]),
    ],
)
async def test_invalid_fields_are_named(
    client: httpx2.AsyncClient, body: object, where: list[str]
) -> None:
    answer = await client.post(MESSAGES, json=body)
    found = problem(answer, 422, "invalid_request")
    assert [error.where for error in found.errors or []] == where
    assert all(error.message for error in found.errors or [])


async def test_nested_fields_and_parameters_are_named(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/conversations", json={"agent": "support", "customerId": 5})
    found = problem(answer, 422, "invalid_request")
    assert [error.where for error in found.errors or []] == ["customerId"]
    answer = await client.get("/v1/conversations?limit=1000&customerId=%00")
    found = problem(answer, 422, "invalid_request")
    assert [error.where for error in found.errors or []] == ["customerId", "limit"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/v1/conversations/conv_nope/messages", "conversation_not_found"),
        ("GET", "/v1/conversations/conv_nope", "conversation_not_found"),
        ("GET", "/v1/conversations/a%00b", "conversation_not_found"),
        ("GET", f"/v1/conversations/{'x' * 5000}", "conversation_not_found"),
        ("GET", "/v1/turns/turn_nope", "turn_not_found"),
        ("GET", "/v1/turns/turn_nope/trace", "turn_not_found"),
        ("GET", "/v1/turns/%ff%0a", "turn_not_found"),
        ("GET", "/", "not_found"),
        ("GET", "/v1", "not_found"),
        ("GET", "/v1/agents/", "not_found"),
        ("GET", "/docs", "not_found"),
        ("POST", "/v2/conversations", "not_found"),
    ],
)
async def test_what_is_not_there_is_404(
    client: httpx2.AsyncClient, method: str, path: str, code: str
) -> None:
    content = b'{"text": "hi"}' if method == "POST" else None
    problem(await client.request(method, path, content=content, headers=JSON), 404, code)


async def test_an_unknown_agent_is_404_and_the_known_ones_are_named(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post("/v1/conversations", json={"agent": "sales"})
    assert "declared are: support" in problem(answer, 404, "unknown_agent").detail


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/conversations", "GET, POST"),
        ("DELETE", "/v1/conversations/conv_1", "GET"),
        ("GET", MESSAGES, "POST"),
        ("POST", "/v1/agents", "GET"),
        ("POST", "/v1/health/live", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    client: httpx2.AsyncClient, method: str, path: str, allow: str
) -> None:
    answer = await client.request(method, path)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


LARGE = json.dumps({"text": "a" * 31_000}).encode()


async def test_a_body_that_is_announced_as_too_large_is_refused(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    answer = await client.post(MESSAGES, content=LARGE, headers=JSON)
    assert "30000 bytes" in problem(answer, 413, "body_too_large").detail
    assert runtime.sent == []


async def test_a_body_that_grows_too_large_is_not_read_to_its_end(
    client: httpx2.AsyncClient,
) -> None:
    given = 0

    async def long() -> AsyncIterator[bytes]:
        nonlocal given
        while given < 1000:
            given += 1
            yield b"a" * 1000

    answer = await client.post(MESSAGES, content=long(), headers=JSON)
    problem(answer, 413, "body_too_large")
    assert given == 31


async def test_a_chunked_body_of_a_fair_size_is_read(client: httpx2.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"text":'
        yield b' "hello"}'

    assert (await client.post(MESSAGES, content=chunks(), headers=JSON)).status_code == 200


@pytest.mark.parametrize("path", [MESSAGES, "/v1/conversations"])
async def test_a_stopping_service_asks_to_come_back(
    client: httpx2.AsyncClient, runtime: FakeRuntime, path: str
) -> None:
    runtime.stopping = True
    answer = await client.post(path, json={"text": "hi"})
    problem(answer, 503, "shutting_down")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_turn_that_was_stopped_is_not_to_be_repeated_blindly(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.failure = TurnInterrupted("see in the conversation how far it came")
    answer = await client.post(MESSAGES, json={"text": "hi"})
    problem(answer, 503, "turn_interrupted")
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (ShuttingDown("later"), 503, "shutting_down"),
        (UnknownAgent("support", []), 404, "unknown_agent"),
    ],
)
async def test_what_the_runtime_raises_is_answered(
    client: httpx2.AsyncClient,
    runtime: FakeRuntime,
    failure: Exception,
    status: int,
    code: str,
) -> None:
    runtime.failure = failure
    problem(await client.post(MESSAGES, json={"text": "hi"}), status, code)


@pytest.mark.parametrize(
    "path", ["/v1/conversations", "/v1/conversations/conv_1", "/v1/turns/turn_1"]
)
async def test_a_store_that_fails_is_503_and_the_log_says_why(
    client: httpx2.AsyncClient,
    runtime: FakeRuntime,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime.store.failure = StoreError("/srv/secret/interlock.db: disk I/O error")
    answer = await client.get(path)
    assert "secret" not in problem(answer, 503, "store_unavailable").detail
    assert int(answer.headers["retry-after"]) > 0
    assert "disk I/O error" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text


@pytest.mark.parametrize("failure", [ValueError("secret detail"), ConfigError(())])
async def test_an_unexpected_exception_is_logged_with_the_id_that_the_client_gets(
    client: httpx2.AsyncClient,
    runtime: FakeRuntime,
    failure: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime.failure = failure
    with caplog.at_level(logging.ERROR):
        answer = await client.post(MESSAGES, json={"text": "hi"})
    found = problem(answer, 500, "internal")
    identity = answer.headers["x-request-id"]
    assert identity in found.detail
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert identity in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("given", ["abc-123", "req_1.x", "a" * 128])
async def test_a_given_request_id_is_kept(client: httpx2.AsyncClient, given: str) -> None:
    answer = await client.get("/v1/agents", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "a" * 129, "a\tb", '"x"'])
async def test_a_request_id_that_could_mislead_a_log_is_replaced(
    client: httpx2.AsyncClient, given: str
) -> None:
    answer = await client.get("/v1/agents", headers={"x-request-id": given})
    assert answer.headers["x-request-id"].startswith("req_")
