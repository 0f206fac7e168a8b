from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from interlock.errors import ConfigError, StoreError
from interlock.service.keys import new_key
from interlock.service.lifecycle import serve
from interlock.service.listening import CannotListen
from tests.e2e.service.project import write_project
from tests.e2e.service.running import Client, get, open_conversation, send, serving


async def status_and_code(client: Client, method: str, path: str, **request: Any) -> Any:
    async with client.request(method, path, **request) as answer:
        assert answer.content_type == "application/problem+json"
        problem = await answer.json(content_type=None)
        assert problem["status"] == answer.status
        return answer.status, problem["code"]


JSON = {"content-type": "application/json"}


async def test_bad_requests_are_told_what_is_wrong(client: Client) -> None:
    conversation = await open_conversation(client)
    path = f"/v1/conversations/{conversation}/messages"

    huge = BytesIO(b"a" * 3_000_000)

    async def large() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"a" * 1000

    cases = [
        ("POST", path, {"data": b"{", "headers": JSON}, (400, "malformed_json")),
        ("POST", path, {"data": b"a=1"}, (415, "unsupported_media_type")),
        ("POST", path, {"json": {"text": " "}}, (422, "invalid_request")),
        ("POST", path, {"json": {"text": "x\0"}}, (422, "invalid_request")),
        (
            "POST",
            path,
            {"data": huge, "headers": JSON},
            (413, "body_too_large"),
        ),
        ("POST", path, {"data": large(), "headers": JSON}, (413, "body_too_large")),
        ("POST", "/v1/conversations", {"json": {"agent": "no"}}, (404, "unknown_agent")),
        ("GET", "/v1/conversations/conv_0", {}, (404, "conversation_not_found")),
        ("GET", "/v1/conversations/%00", {}, (404, "conversation_not_found")),
        ("GET", "/v1/turns/turn_0/trace", {}, (404, "turn_not_found")),
        ("GET", "/v1/nothing", {}, (404, "not_found")),
        ("DELETE", path, {}, (405, "method_not_allowed")),
    ]
    for method, target, request, expected in cases:
        assert await status_and_code(client, method, target, **request) == expected
    # And the service is as well as before.
    assert (await send(client, conversation, "hello"))[0] == 200


async def test_with_keys_a_key_is_needed(tmp_path: Path, environment: Mapping[str, str]) -> None:
    key, digest = new_key()
    project = write_project(tmp_path, keys=f"{{name: web, sha256: {digest}}}")
    async with serving(project, environment) as client:
        assert await status_and_code(client, "GET", "/v1/agents") == (401, "unauthorized")
        refused = await status_and_code(client, "POST", "/v1/conversations", json={})
        assert refused == (401, "unauthorized")
        assert await get(client, "/v1/health/ready") == {"status": "ok"}
    async with serving(project, environment, headers={"authorization": f"Bearer {key}"}) as client:
        conversation = await open_conversation(client)
        assert (await send(client, conversation, "hello"))[1]["outcome"] == "resolved"


def never_ready(url: str) -> None:
    raise AssertionError(f"must not be ready at {url}")


async def test_without_keys_the_service_does_not_listen_for_others(
    project: Path, environment: Mapping[str, str]
) -> None:
    with pytest.raises(CannotListen, match=r"auth\.keys in interlock\.yaml"):
        await serve(project, environment, host="0.0.0.0", on_ready=never_ready)


async def test_a_taken_port_is_an_error_of_its_own(
    client: Client, tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]
) -> None:
    async with client.get("/v1/health/live") as answer:
        port = answer.url.port
    other = write_project(tmp_path_factory.mktemp("other"))
    with pytest.raises(CannotListen, match=str(port)):
        await serve(other, environment, port=port, on_ready=never_ready)


async def test_one_store_is_not_for_two_services(
    client: Client, project: Path, environment: Mapping[str, str]
) -> None:
    with pytest.raises(StoreError, match="in use by another process"):
        await serve(project, environment, on_ready=never_ready)
    assert await get(client, "/v1/health/ready") == {"status": "ok"}


async def test_an_invalid_configuration_does_not_start(
    project: Path, environment: Mapping[str, str]
) -> None:
    (project / "agents.d/support.yaml").write_text("name: support\n")
    with pytest.raises(ConfigError):
        await serve(project, environment, on_ready=never_ready)


async def test_many_conversations_at_once(client: Client) -> None:
    async def talk() -> str:
        conversation = await open_conversation(client)
        _, answer = await send(client, conversation, "Where is ORD-1001?")
        return str(answer["outcome"])

    assert await asyncio.gather(*(talk() for _ in range(20))) == ["resolved"] * 20
