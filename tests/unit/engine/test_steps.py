from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest

from interlock.engine.steps import STEPS, Services
from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.turn.ports import ModelFailure, ModelReply, StepName
from tests.unit.turn.scripted import fails, says


class Provider:
    def __init__(self, answer: ModelReply | ModelFailure) -> None:
        self.answer = answer
        self.calls: list[tuple[JsonObject, float]] = []

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply | ModelFailure:
        self.calls.append((body, timeout_seconds))
        return self.answer


class Tools:
    """Tools that give their name back, once as many of them run as are expected to."""

    def __init__(self, together: int = 1) -> None:
        self.barrier = asyncio.Barrier(together)
        self.calls: list[JsonObject] = []

    async def call(self, name: str, input: JsonObject, **more: Any) -> ToolResult:
        self.calls.append({"name": name, "input": input, **more})
        await self.barrier.wait()
        return ToolResult("success", {"from": name}, attempts=1)


@pytest.mark.parametrize("answer", [says("Hello."), fails("timeout", maybe_billed=True)])
async def test_a_model_call_goes_to_its_provider(answer: ModelReply | ModelFailure) -> None:
    providers = {"one": Provider(fails()), "two": Provider(answer)}
    args = {"provider": "two", "body": {"model": "m"}, "timeoutSeconds": 3.5}
    result = await STEPS["model_call"](Services(providers, Tools()), args)
    assert result == answer.to_json()
    assert result["ok"] == isinstance(answer, ModelReply)
    assert (providers["one"].calls, providers["two"].calls) == ([], [({"model": "m"}, 3.5)])


@pytest.mark.parametrize("count", [1, 4])
async def test_tool_calls_run_together_and_answer_in_order(count: int) -> None:
    tools = Tools(together=count)
    calls = [
        {"tool": f"tool_{number}", "input": {"n": number}, "timeoutSeconds": 2.0}
        for number in range(count)
    ]
    args = {"calls": calls, "session": {"customerId": "CUST-1"}}
    result = await STEPS["tool_calls"](Services({}, tools), args)
    assert [item["data"] for item in result["results"]] == [
        {"from": f"tool_{number}"} for number in range(count)
    ]
    assert tools.calls[0] == {
        "name": "tool_0",
        "input": {"n": 0},
        "timeout_seconds": 2.0,
        "session": {"customerId": "CUST-1"},
        "idempotency_key": None,
    }


async def test_a_mutation_carries_its_key() -> None:
    tools = Tools()
    call = {"tool": "create_return", "input": {}, "timeoutSeconds": 2.0}
    args = {"call": call, "key": "create_return:abc", "session": {}}
    result = await STEPS["mutation"](Services({}, tools), args)
    assert ToolResult.from_json(result).data == {"from": "create_return"}
    assert tools.calls[0]["idempotency_key"] == "create_return:abc"


def test_every_step_of_the_port_is_there() -> None:
    assert set(STEPS) == set(get_args(StepName))
