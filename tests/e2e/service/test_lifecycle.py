from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.service.gate import Gate
from tests.e2e.service.project import write_project
from tests.e2e.service.running import (
    Client,
    get,
    open_conversation,
    process,
    send,
    serving,
    until,
)


async def test_conversations_outlive_the_service(
    project: Path, environment: Mapping[str, str]
) -> None:
    async with serving(project, environment) as client:
        conversation = await open_conversation(client)
        await send(client, conversation, "Where is ORD-1001?")
        before = await get(client, f"/v1/conversations/{conversation}")
    async with serving(project, environment) as client:
        assert await get(client, f"/v1/conversations/{conversation}") == before
        assert (await send(client, conversation, "thanks"))[1]["outcome"] == "resolved"
        after = await get(client, f"/v1/conversations/{conversation}")
        assert [turn["text"] for turn in after["turns"]] == ["Where is ORD-1001?", "thanks"]
        assert after["tokens"] > before["tokens"]


async def test_a_turn_of_a_killed_service_is_shown_as_interrupted(
    project: Path, environment: Mapping[str, str], gate: Gate
) -> None:
    async with process(project, environment) as service, Client(service.url) as client:
        conversation = await open_conversation(client)
        sending = asyncio.create_task(send(client, conversation, "wait for me"))
        await gate.arrived.get()
        service.send(signal.SIGKILL)
        with pytest.raises(aiohttp.ClientError):
            await sending
        assert await service.exit_status() == -signal.SIGKILL
    async with process(project, environment) as service, Client(service.url) as client:
        shown = await get(client, f"/v1/conversations/{conversation}")
        (turn,) = shown["turns"]
        assert (turn["outcome"], turn["reason"]) == ("failed", "interrupted")
        assert turn["endedAt"] is not None
        assert [message["role"] for message in shown["messages"]] == ["customer", "agent"]
        assert (await send(client, conversation, "Where is ORD-1001?"))[1]["outcome"] == "resolved"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stopping_service_finishes_its_turns_and_takes_no_new_ones(
    project: Path, environment: Mapping[str, str], gate: Gate, number: signal.Signals
) -> None:
    async with process(project, environment) as service, Client(service.url) as client:
        conversation = await open_conversation(client)
        sending = asyncio.create_task(send(client, conversation, "wait for me"))
        await gate.arrived.get()
        service.send(number)

        async def is_stopping() -> bool:
            async with client.get("/v1/health/ready") as answer:
                return answer.status == 503

        await until(is_stopping)
        assert (await get(client, "/v1/health"))["status"] == "stopping"
        path = f"/v1/conversations/{conversation}/messages"
        async with client.post(path, json={"text": "one more"}) as refused:
            assert (refused.status, refused.headers["retry-after"]) == (503, "5")
            assert (await refused.json(content_type=None))["code"] == "shutting_down"
        assert not sending.done()
        gate.open()
        assert (await sending)[1]["reply"] == "The gate was opened."
        assert await service.exit_status() == 0
    async with serving(project, environment) as client:
        shown = await get(client, f"/v1/conversations/{conversation}")
        assert [turn["outcome"] for turn in shown["turns"]] == ["resolved"]


async def test_a_turn_that_outlasts_the_drain_is_interrupted(
    tmp_path: Path, environment: Mapping[str, str], gate: Gate
) -> None:
    project = write_project(tmp_path, drain="100ms")
    async with process(project, environment) as service, Client(service.url) as client:
        conversation = await open_conversation(client)
        sending = asyncio.create_task(send(client, conversation, "wait for me"))
        await gate.arrived.get()
        service.send(signal.SIGTERM)
        status, problem = await sending
        assert (status, problem["code"]) == (503, "turn_interrupted")
        assert await service.exit_status() == 0
    async with serving(project, environment) as client:
        (turn,) = (await get(client, f"/v1/conversations/{conversation}"))["turns"]
        assert (turn["outcome"], turn["reason"]) == ("failed", "interrupted")


async def test_a_second_signal_ends_the_process_at_once(
    project: Path, environment: Mapping[str, str], gate: Gate
) -> None:
    async with process(project, environment) as service, Client(service.url) as client:
        conversation = await open_conversation(client)
        sending = asyncio.create_task(send(client, conversation, "wait for me"))
        await gate.arrived.get()
        service.send(signal.SIGTERM)

        async def is_stopping() -> bool:
            return bool((await get(client, "/v1/health"))["status"] == "stopping")

        await until(is_stopping)
        service.send(signal.SIGTERM)
        assert await service.exit_status() == -signal.SIGTERM
        with pytest.raises(aiohttp.ClientError):
            await sending


async def test_an_idle_connection_does_not_keep_the_service_from_ending(
    project: Path, environment: Mapping[str, str]
) -> None:
    async with process(project, environment) as service, Client(service.url) as client:
        await get(client, "/v1/health/live")
        service.send(signal.SIGTERM)
        assert await service.exit_status() == 0
