from __future__ import annotations

import asyncio

from tests.e2e.service.gate import Gate
from tests.e2e.service.running import Client, get, open_conversation, send, until


async def test_a_message_is_answered_with_the_help_of_a_tool(client: Client) -> None:
    conversation = await open_conversation(client)
    status, answer = await send(client, conversation, "Where is ORD-1001?")
    assert status == 200
    assert answer["outcome"] == "resolved"
    assert answer["reply"] == "Your order ORD-1001 was shipped."
    assert (answer["toolCalls"], answer["unpricedCalls"]) == (1, 0)
    assert answer["tokens"] > 0
    assert float(answer["costUsd"]) > 0

    shown = await get(client, f"/v1/conversations/{conversation}")
    assert [(message["role"], message["text"]) for message in shown["messages"]] == [
        ("customer", "Where is ORD-1001?"),
        ("agent", "Your order ORD-1001 was shipped."),
    ]
    assert (shown["tokens"], shown["costUsd"]) == (answer["tokens"], answer["costUsd"])
    (turn,) = shown["turns"]
    assert turn == await get(client, f"/v1/turns/{answer['turnId']}")
    assert turn["state"] == "ended"
    same = ("outcome", "reply", "reason", "iterations", "modelCalls", "toolCalls", "tokens")
    assert {name: turn[name] for name in same} == {name: answer[name] for name in same}
    config = (await get(client, "/v1/config"))["active"]
    assert turn["snapshot"] == config["digest"]
    assert [file["path"] for file in config["files"]] == [
        "agents.d/support.yaml",
        "interlock.yaml",
        "plugins/orders.py",
        "tools.d/tools.yaml",
    ]


async def test_the_trace_holds_every_decision(client: Client) -> None:
    conversation = await open_conversation(client)
    _, answer = await send(client, conversation, "Where is ORD-1001?")
    trace = await get(client, f"/v1/turns/{answer['turnId']}/trace")
    events = trace["events"]
    assert trace["state"] == "ended"
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("model_call", "response")
    (result,) = [event["data"] for event in events if event["type"] == "tool_result"]
    # The customer comes from the conversation, not from the model.
    assert result["data"] == {"order": "ORD-1001", "customer": "C-1", "status": "shipped"}
    calls = [event for event in events if event["type"] == "model_call"]
    assert sum(event["tokens"] for event in calls) == answer["tokens"]
    assert all(float(event["costUsd"]) > 0 for event in calls)


async def test_a_second_message_waits_for_the_first(client: Client, gate: Gate) -> None:
    conversation = await open_conversation(client)
    first = asyncio.create_task(send(client, conversation, "wait for me"))
    await gate.arrived.get()
    second = asyncio.create_task(send(client, conversation, "Where is ORD-1001?"))

    async def both_are_taken() -> bool:
        return bool((await get(client, "/v1/health"))["turnsRunning"] == 2)

    await until(both_are_taken)
    (turn,) = (await get(client, f"/v1/conversations/{conversation}"))["turns"]
    assert (turn["text"], turn["state"], turn["costUsd"]) == ("wait for me", "running", None)
    assert not second.done()

    gate.open()
    (_, waited), (_, answered) = await first, await second
    assert waited["reply"] == "The gate was opened."
    assert answered["reply"] == "Your order ORD-1001 was shipped."
    turns = (await get(client, f"/v1/conversations/{conversation}"))["turns"]
    assert [turn["text"] for turn in turns] == ["wait for me", "Where is ORD-1001?"]
    assert turns[0]["endedAt"] <= turns[1]["startedAt"]


async def test_conversations_do_not_wait_for_each_other(client: Client, gate: Gate) -> None:
    waiting = await open_conversation(client)
    first = asyncio.create_task(send(client, waiting, "wait for me"))
    await gate.arrived.get()
    _, answer = await send(client, await open_conversation(client), "Where is ORD-1001?")
    assert answer["outcome"] == "resolved"
    assert not first.done()
    gate.open()
    assert (await first)[1]["outcome"] == "resolved"


async def test_a_client_that_hangs_up_does_not_stop_its_turn(client: Client, gate: Gate) -> None:
    conversation = await open_conversation(client)
    sending = asyncio.create_task(send(client, conversation, "wait for me"))
    await gate.arrived.get()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    gate.open()

    async def has_ended() -> bool:
        (turn,) = (await get(client, f"/v1/conversations/{conversation}"))["turns"]
        return bool(turn["outcome"] == "resolved")

    await until(has_ended)


async def test_conversations_are_listed_newest_first_and_by_customer(client: Client) -> None:
    made = [await open_conversation(client) for _ in range(3)]
    first = await get(client, "/v1/conversations?limit=2&customerId=C-1")
    assert [each["id"] for each in first["conversations"]] == made[:0:-1]
    second = await get(client, f"/v1/conversations?before={first['next']}")
    assert [each["id"] for each in second["conversations"]] == made[:1]
    assert second["next"] is None
    assert (await get(client, "/v1/conversations?customerId=C-2"))["conversations"] == []
