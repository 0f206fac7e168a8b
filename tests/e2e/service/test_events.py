from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tests.e2e.service.gate import Gate
from tests.e2e.service.running import Client, get, open_conversation, until

EVENTS = {"accept": "text/event-stream"}


async def events_of(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """The events of a stream as they come, as (name, data)."""
    fields: dict[str, str] = {}
    async for line in answer.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif fields:
            yield fields["event"], json.loads(fields["data"])
            fields = {}


async def test_progress_comes_while_the_turn_runs_and_ends_with_the_answer(
    client: Client, gate: Gate
) -> None:
    conversation = await open_conversation(client)
    path = f"/v1/conversations/{conversation}/messages"
    seen = []
    async with client.post(path, json={"text": "wait for me"}, headers=EVENTS) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        async for name, data in events_of(answer):
            seen.append((name, data))
            if name == "tool_call":
                # The tool has not answered yet, and could not before this line.
                assert data["tool"] == "wait_at_gate"
                gate.open()
    names = [name for name, _ in seen]
    assert names[-2:] == ["response", "answer"]
    assert names.index("plan") < names.index("tool_call") < names.index("tool_result")
    last = seen[-1][1]
    assert last["reply"] == "The gate was opened."
    trace = (await get(client, f"/v1/turns/{last['turnId']}/trace"))["events"]
    assert [event["type"] for event in trace] == names[:-1]
    assert [event["sequence"] for event in trace] == [data["sequence"] for _, data in seen[:-1]]


async def test_a_reader_who_leaves_does_not_stop_the_turn(client: Client, gate: Gate) -> None:
    conversation = await open_conversation(client)
    path = f"/v1/conversations/{conversation}/messages"
    turn = ""
    async with client.post(path, json={"text": "wait for me"}, headers=EVENTS) as answer:
        async for name, data in events_of(answer):
            turn = data["turnId"]
            if name == "tool_call":
                break
        answer.close()
    await gate.arrived.get()
    gate.open()

    async def has_ended() -> bool:
        return bool((await get(client, f"/v1/turns/{turn}"))["state"] == "ended")

    await until(has_ended)
    assert (await get(client, f"/v1/turns/{turn}"))["outcome"] == "resolved"
    assert (await get(client, "/v1/health"))["turnsRunning"] == 0
