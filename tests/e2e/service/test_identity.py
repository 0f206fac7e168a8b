"""Keys, roles and session tokens over HTTP: nobody reaches what is another's, by any path."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.service.keys import new_key
from interlock.service.lifecycle import serve
from interlock.service.listening import CannotListen
from tests.e2e.service.project import write_project
from tests.e2e.service.running import Client, open_conversation, send, serving, until

SECRET = "session-secret-of-the-tests-0123456789"
SIGNED = """
  sessions: {algorithm: HS256, audience: interlock, key: {env: SESSION_KEY}%s}
"""
MINE = "ORD-1001 is what only its owner may read"


def declare(folder: Path, roles: Mapping[str, str], more: str = "") -> dict[str, str]:
    """Writes a project with a key for each name and role; the keys by name."""
    made = {name: new_key() for name in roles}
    write_project(folder)
    keys = "".join(
        f"    - {{name: {name}, role: {roles[name]}, sha256: {digest}}}\n"
        for name, (_, digest) in made.items()
    )
    settings = folder / "interlock.yaml"
    text = settings.read_text().replace("auth: {keys: []}", f"auth:\n  keys:\n{keys}{more}")
    settings.write_text(text)
    return {name: key for name, (key, _) in made.items()}


def token(customer: str, **claims: Any) -> str:
    said = {"sub": customer, "aud": "interlock", "exp": int(time.time()) + 600, **claims}
    return jwt.encode(said, SECRET, algorithm="HS256")


def headers(key: str, session: str | None = None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} | (
        {} if session is None else {"x-interlock-session": session}
    )


async def ask(
    client: Client, method: str, path: str, who: dict[str, str], body: Any = None
) -> tuple[int, str]:
    async with client.request(method, path, json=body, headers=who) as answer:
        return answer.status, await answer.text()


async def talk(client: Client, who: dict[str, str], opening: dict[str, Any]) -> dict[str, str]:
    """A conversation with one turn, and the ids of both."""
    status, text = await ask(
        client, "POST", "/v1/conversations", who, {"agent": "support", **opening}
    )
    assert status == 201, text
    conversation = str(json.loads(text)["id"])
    path = f"/v1/conversations/{conversation}/messages"
    status, text = await ask(client, "POST", path, who, {"text": MINE})
    assert status == 200, text
    return {"conversation": conversation, "turn": str(json.loads(text)["turnId"])}


async def walk(client: Client, ids: Mapping[str, str], who: dict[str, str]) -> dict[str, int]:
    """What every operation of the API answers that can name a conversation or a turn."""
    async with client.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    seen = {}
    for path, operations in paths.items():
        if "{" not in path or not path.startswith(("/v1/conversations", "/v1/turns")):
            continue
        kind = "turn" if path.startswith("/v1/turns") else "conversation"
        target = path.replace("{id}", ids[kind])
        for method in operations:
            body = {"text": "hello"} if method in ("post", "put") else None
            status, text = await ask(client, method.upper(), target, who, body)
            assert MINE not in text
            assert "CUST-1" not in text
            seen[f"{method} {path}"] = status
    return seen


async def listed(client: Client, who: dict[str, str], query: str = "") -> list[str]:
    status, text = await ask(client, "GET", f"/v1/conversations{query}", who)
    assert status == 200, text
    return [each["id"] for each in json.loads(text)["conversations"]]


@pytest.fixture
def signed_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "SESSION_KEY": SECRET}


async def test_a_customer_reaches_no_conversation_of_another_by_any_path(
    tmp_path: Path, signed_environment: Mapping[str, str]
) -> None:
    keys = declare(tmp_path, {"web": "chat", "ops": "operator"}, SIGNED % "")
    mine, other = token("CUST-1"), token("CUST-2")
    async with serving(tmp_path, signed_environment) as client:
        own = headers(keys["web"], mine)
        ids = await talk(client, own, {})
        theirs = headers(keys["web"], other)
        seen = await walk(client, ids, theirs)
        assert len(seen) >= 4
        # A trace is not for chat keys at all; everything else is not there.
        assert seen.pop("get /v1/turns/{id}/trace") == 403
        assert set(seen.values()) == {404}
        # Nor with more rights: whoever brings a token acts for its customer.
        assert set((await walk(client, ids, headers(keys["ops"], other))).values()) == {404}
        # And it cannot be told from what never was.
        for path in ("/v1/conversations/%s", "/v1/turns/%s"):
            made_up = "conv_0" if "conv" in path else "turn_0"
            real = ids["conversation"] if "conv" in path else ids["turn"]
            answers = [
                await ask(client, "GET", path % name, {**theirs, "x-request-id": "r"})
                for name in (real, made_up)
            ]
            assert answers[0] == (404, answers[1][1].replace(made_up, real))
        assert await listed(client, theirs) == []
        assert await listed(client, theirs, "?customerId=CUST-1") == []
        # The owner reaches it, and an operator without a token.
        assert await listed(client, own) == [ids["conversation"]]
        assert (await ask(client, "GET", f"/v1/turns/{ids['turn']}", own))[0] == 200
        ops = headers(keys["ops"])
        assert (await ask(client, "GET", f"/v1/turns/{ids['turn']}/trace", ops))[0] == 200
        # No turn was begun by any of it.
        _, text = await ask(client, "GET", f"/v1/conversations/{ids['conversation']}", own)
        assert len(json.loads(text)["turns"]) == 1


async def test_only_a_token_says_who_the_customer_of_a_chat_key_is(
    tmp_path: Path, signed_environment: Mapping[str, str]
) -> None:
    keys = declare(tmp_path, {"web": "chat", "ops": "operator"}, SIGNED % "")
    web, good = keys["web"], token("CUST-1", plan="gold")
    async with serving(tmp_path, signed_environment) as client:

        async def opened(who: dict[str, str], **body: Any) -> tuple[int, str]:
            status, text = await ask(
                client, "POST", "/v1/conversations", who, {"agent": "support", **body}
            )
            document = json.loads(text)
            return status, str(document.get("customerId", document.get("code")))

        assert await opened(headers(web)) == (401, "session_required")
        assert await opened(headers(web), customerId="CUST-1") == (401, "session_required")
        assert await opened(headers(web, good)) == (201, "CUST-1")
        assert await opened(headers(web), session=good) == (201, "CUST-1")
        assert await opened(headers(web, good), session=good) == (201, "CUST-1")
        assert await opened(headers(web, good), customerId="CUST-2") == (403, "unsigned_session")
        assert await opened(headers(web, good), session={"a": 1}) == (403, "unsigned_session")
        assert await opened(headers(web, good), session=token("X")) == (401, "invalid_session")
        for bad in (
            "x",
            jwt.encode({"sub": "CUST-1", "exp": 4102444800}, None, algorithm="none"),
            token("CUST-1", aud="else"),
            token("CUST-1", exp=1),
            f"{good}x",
        ):
            assert await opened(headers(web, bad)) == (401, "invalid_session")
            _, text = await ask(client, "GET", "/v1/conversations", headers(web, bad))
            assert json.loads(text)["detail"] == "the session token is not valid"
        # Operators may act for a customer.
        assert await opened(headers(keys["ops"]), customerId="CUST-3") == (201, "CUST-3")


async def test_a_front_end_reaches_no_conversation_of_another(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    keys = declare(tmp_path, {"web": "chat", "app": "chat", "ops": "operator"})
    async with serving(tmp_path, environment) as client:
        web, other = headers(keys["web"]), headers(keys["app"])
        ids = await talk(client, web, {"customerId": "CUST-1"})
        seen = await walk(client, ids, other)
        assert seen.pop("get /v1/turns/{id}/trace") == 403
        assert set(seen.values()) == {404}
        assert await listed(client, other, "?customerId=CUST-1") == []
        assert await listed(client, web) == [ids["conversation"]]
        assert await listed(client, headers(keys["ops"])) == [ids["conversation"]]
        assert (await ask(client, "GET", "/v1/agents", headers(keys["web"], "x.y.z")))[0] == 200
        refused = await ask(client, "GET", "/v1/conversations", headers(keys["web"], "x.y.z"))
        assert refused[0] == 400


async def test_without_required_a_chat_key_holds_conversations_of_nobody(
    tmp_path: Path, signed_environment: Mapping[str, str]
) -> None:
    keys = declare(tmp_path, {"web": "chat"}, SIGNED % ", required: false")
    async with serving(tmp_path, signed_environment) as client:
        web = headers(keys["web"])
        of_somebody = await talk(client, headers(keys["web"], token("CUST-1")), {})
        of_nobody = await talk(client, web, {})
        assert await listed(client, web) == [of_nobody["conversation"]]
        assert set((await walk(client, of_somebody, web)).values()) == {403, 404}
        body = {"agent": "support", "customerId": "CUST-1"}
        assert (await ask(client, "POST", "/v1/conversations", web, body))[0] == 403


async def keys_command(project: Path, *arguments: str) -> str:
    command = ["keys", *arguments, "--project", str(project)]
    result = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_keys_are_made_and_revoked_while_the_service_runs(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    write_project(tmp_path)
    async with serving(tmp_path, environment) as client:

        async def status(key: str | None, path: str = "/v1/agents") -> int:
            return (await ask(client, "GET", path, {} if key is None else headers(key)))[0]

        assert await status(None) == 200

        async def closed() -> bool:
            return await status(None) == 401

        web = (await keys_command(tmp_path, "create", "web")).splitlines()[0]
        await until(closed)
        assert await status(web) == 200
        assert await status(web, "/v1/config") == 403
        ops = (await keys_command(tmp_path, "create", "ops", "--role", "operator")).splitlines()[0]

        async def known() -> bool:
            return await status(ops, "/v1/config") == 200

        await until(known)
        conversation_client = aiohttp.ClientSession(client._base_url, headers=headers(web))
        async with conversation_client as as_web:
            conversation = await open_conversation(as_web)
            assert (await send(as_web, conversation, "hello"))[0] == 200
        await keys_command(tmp_path, "revoke", "web")

        async def gone() -> bool:
            return await status(web) == 401

        await until(gone)
        assert await status(ops, "/v1/config") == 200
        await keys_command(tmp_path, "revoke", "ops")

        async def none_left() -> bool:
            return await status(ops) == 401

        await until(none_left)
        # The last key is gone, and the service is not open again.
        assert await status(None) == 401
        again = (await keys_command(tmp_path, "create", "web")).splitlines()[0]

        async def back() -> bool:
            return await status(again, f"/v1/conversations/{conversation}") == 200

        await until(back)
    shown = json.loads(await keys_command(tmp_path, "list", "--format", "json"))
    assert [(key["name"], key["revokedAt"] is None) for key in shown["keys"]] == [
        ("web", False),
        ("ops", False),
        ("web", True),
    ]
    # The use of a key is on record, and no key is.
    assert all(key["lastUsedAt"] for key in shown["keys"])
    everything = b"".join(path.read_bytes() for path in (tmp_path / "var").glob("interlock.db*"))
    assert not [key for key in (web, ops, again) if key.encode() in everything]


async def test_a_key_of_the_store_lets_the_service_listen_for_others(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    write_project(tmp_path)
    with pytest.raises(CannotListen, match="interlock keys create"):
        await serve(tmp_path, environment, host="0.0.0.0", on_ready=lambda url: None)
    # While the service is down, and with a store that it has not made.
    key = (await keys_command(tmp_path, "create", "web")).splitlines()[0]
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve(tmp_path, environment, host="0.0.0.0", on_ready=ready.set_result)
    )
    try:
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        async with aiohttp.ClientSession(ready.result()) as client:
            assert (await ask(client, "GET", "/v1/agents", {}))[0] == 401
            assert (await ask(client, "GET", "/v1/agents", headers(key)))[0] == 200
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_customer_who_takes_too_much_waits_and_nobody_else_does(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    write_project(tmp_path)
    settings = tmp_path / "interlock.yaml"
    limits = "customers: {messagesPerMinute: 2, conversationsPerHour: 2}\n"
    settings.write_text(settings.read_text() + limits)
    async with serving(tmp_path, environment) as client:
        first = await open_conversation(client)
        second = await open_conversation(client)
        body = {"agent": "support", "customerId": "C-1"}
        assert (await ask(client, "POST", "/v1/conversations", {}, body))[0] == 429
        assert (await send(client, first, "hello"))[0] == 200
        assert (await send(client, second, "hello"))[0] == 200
        path = f"/v1/conversations/{first}/messages"
        for accept in ("application/json", "text/event-stream"):
            async with client.post(path, json={"text": "hi"}, headers={"accept": accept}) as answer:
                assert answer.status == 429
                assert 0 < int(answer.headers["retry-after"]) <= 60
                assert (await answer.json(content_type=None))["code"] == "too_many_requests"
        body["customerId"] = "C-2"
        status, text = await ask(client, "POST", "/v1/conversations", {}, body)
        assert status == 201
        assert (await send(client, json.loads(text)["id"], "hello"))[0] == 200
