"""Operators switch agents and tools off while turns are running and processes die."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from interlock.sim import SimServer, parse_rules
from tests.e2e.service.gate import Gate
from tests.e2e.service.project import RULES
from tests.e2e.service.running import Client, get, open_conversation, process, send, serving

WHY = {"why": "it tells nonsense"}
AGENT, ORDERS, GATE = (
    "/v1/switches/agents/support",
    "/v1/switches/tools/get_order",
    "/v1/switches/tools/wait_at_gate",
)


@dataclass(frozen=True)
class Model:
    """The simulator that stands for the model, and where everything is."""

    environment: Mapping[str, str]
    url: str

    async def offered(self) -> list[list[str]]:
        """The tools that each request for a step has offered, in order."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/requests?last=50") as answer,
        ):
            requests = (await answer.json())["requests"]
        bodies = [each["body"] for each in requests]
        steps = [body for body in bodies if "format" not in body.get("output_config", {})]
        return [sorted(tool["name"] for tool in body.get("tools", [])) for body in steps]


@pytest.fixture
async def model(gate: Gate) -> AsyncIterator[Model]:
    async with SimServer(parse_rules(RULES.encode(), "sim.yaml")) as sim:
        environment = {
            "ANTHROPIC_API_KEY": "very-secret",
            "MODEL_URL": sim.base_url,
            "GATE_URL": gate.url,
        }
        yield Model(environment, sim.base_url)


async def put(client: Client, path: str, body: Mapping[str, Any] = WHY) -> None:
    async with client.put(path, json=body) as answer:
        assert answer.status == 200, await answer.text()


async def delete(client: Client, path: str) -> None:
    async with client.delete(path) as answer:
        assert answer.status == 204, await answer.text()


async def breakers(client: Client, turn: str) -> list[Any]:
    trace = await get(client, f"/v1/turns/{turn}/trace")
    return [event["data"] for event in trace["events"] if event["type"] == "breaker"]


async def test_a_tool_is_not_offered_in_the_next_step_of_a_running_turn(
    project: Path, model: Model, gate: Gate
) -> None:
    async with process(project, model.environment) as service, Client(service.url) as client:
        sending = asyncio.create_task(send(client, await open_conversation(client), "wait"))
        await gate.arrived.get()
        await put(client, ORDERS)
        gate.open()
        _, answer = await sending
        assert (answer["outcome"], answer["reply"]) == ("resolved", "The gate was opened.")
        first, *_, last = await model.offered()
        assert first == ["get_order", "wait_at_gate"]
        assert last == ["wait_at_gate"]
        (breaker,) = await breakers(client, answer["turnId"])
        assert (breaker["breaker"], breaker["why"]) == ("tool_disabled", "it tells nonsense")
        await delete(client, ORDERS)
        _, answer = await send(client, await open_conversation(client), "Where is ORD-1001?")
        assert answer["reply"] == "Your order ORD-1001 was shipped."


async def test_a_running_turn_of_an_agent_that_is_switched_off_ends_at_its_next_step(
    project: Path, model: Model, gate: Gate
) -> None:
    async with process(project, model.environment) as service, Client(service.url) as client:
        conversation = await open_conversation(client)
        sending = asyncio.create_task(send(client, conversation, "wait"))
        await gate.arrived.get()
        waiting = asyncio.create_task(send(client, conversation, "Where is ORD-1001?"))
        await put(client, AGENT)
        steps = len(await model.offered())
        gate.open()
        for turn in (sending, waiting):
            _, answer = await turn
            assert (answer["outcome"], answer["reason"]) == ("refused", "agent_disabled")
            assert answer["reply"] == "I am sorry, I cannot help with that."
        assert len(await model.offered()) == steps


async def test_a_turn_of_an_earlier_configuration_heeds_the_switch_too(
    project: Path, model: Model, gate: Gate
) -> None:
    settings = project / "interlock.yaml"
    settings.write_text(f"{settings.read_text()}reload: {{mode: manual}}\n")
    async with process(project, model.environment) as service, Client(service.url) as client:
        sending = asyncio.create_task(send(client, await open_conversation(client), "wait"))
        await gate.arrived.get()
        agent = project / "agents.d/support.yaml"
        agent.write_text(agent.read_text().replace("name: support", "name: helper"))
        async with client.post("/v1/config/reload", json={"allowRemovals": True}) as answer:
            assert answer.status == 200, await answer.text()
        assert (await get(client, "/v1/config"))["draining"][0]["turns"] == 1
        # The agent is declared no more, but its turn still runs.
        await put(client, AGENT)
        gate.open()
        _, answer = await sending
        assert answer["reason"] == "agent_disabled"
        # Now nothing of that name is left, and what is off can be lifted all the same.
        await delete(client, AGENT)
        assert (await get(client, "/v1/switches"))["switches"] == []


async def test_what_is_off_stays_off_through_a_crash_and_a_reload(
    project: Path, model: Model
) -> None:
    async with process(project, model.environment) as service, Client(service.url) as client:
        conversation = await open_conversation(client)
        await put(client, AGENT)
        await put(client, GATE, {**WHY, "agent": "support"})
        before = await get(client, "/v1/switches")
        service.send(signal.SIGKILL)
        assert await service.exit_status() == -signal.SIGKILL
    async with process(project, model.environment) as service, Client(service.url) as client:
        assert await get(client, "/v1/switches") == before
        assert (await get(client, "/v1/health"))["switches"] == before["switches"]
        _, answer = await send(client, conversation, "Where is ORD-1001?")
        assert (answer["outcome"], answer["reason"]) == ("refused", "agent_disabled")
        agent = project / "agents.d/support.yaml"
        agent.write_text(f"{agent.read_text()}# another configuration\n")
        async with client.post("/v1/config/reload", json={}) as done:
            assert done.status == 200
        _, answer = await send(client, conversation, "Where is ORD-1001?")
        assert answer["reason"] == "agent_disabled"
        await delete(client, AGENT)
        _, answer = await send(client, conversation, "Where is ORD-1001?")
        assert answer["reply"] == "Your order ORD-1001 was shipped."
        assert (await model.offered())[-1] == ["get_order"]


async def test_a_switch_that_is_set_twice_and_lifted_twice_is_one_switch(
    project: Path, model: Model
) -> None:
    async with serving(project, model.environment) as client:
        await asyncio.gather(*(put(client, AGENT) for _ in range(20)))
        assert len((await get(client, "/v1/switches"))["switches"]) == 1
        await asyncio.gather(*(delete(client, AGENT) for _ in range(20)))
        assert (await get(client, "/v1/switches"))["switches"] == []
        # And in whatever order both come, the service and its store agree in the end.
        await asyncio.gather(
            *(put(client, AGENT) if number % 2 else delete(client, AGENT) for number in range(40))
        )
        shown = await get(client, "/v1/switches")
    async with serving(project, model.environment) as client:
        assert await get(client, "/v1/switches") == shown
