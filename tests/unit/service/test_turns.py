from __future__ import annotations

import httpx2

from interlock.service.schemas import TraceView, TurnView
from tests.unit.service.fakes import RUNNING, FakeRuntime, make_event


async def test_a_turn_shows_what_it_took(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/turns/turn_1")
    turn = TurnView.model_validate_json(answer.content)
    assert (turn.outcome, turn.reply, turn.model_calls) == ("resolved", "It was shipped.", 2)
    assert turn.snapshot == "d" * 64


async def test_a_trace_is_complete_and_in_order(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.store.kept_events = [
        make_event(sequence=1, data={"steps": []}),
        make_event(
            sequence=2,
            type="model_call",
            latency_ms=12.5,
            model="claude-sonnet-4-6",
            tokens=100,
            cost_nano=30_000,
            data={"route": "execute", "usage": {"input": 90, "output": 10}},
        ),
        make_event(sequence=3, type="tool_call", data={"tool": "get_order", "input": {"a": 1}}),
    ]
    answer = await client.get("/v1/turns/turn_1/trace")
    trace = TraceView.model_validate_json(answer.content)
    assert (trace.turn_id, trace.state) == ("turn_1", "ended")
    assert [(event.sequence, event.type) for event in trace.events] == [
        (1, "plan"),
        (2, "model_call"),
        (3, "tool_call"),
    ]
    assert [event.cost_usd for event in trace.events] == [None, "0.00003", None]
    assert trace.events[2].data == {"tool": "get_order", "input": {"a": 1}}


async def test_the_trace_of_a_running_turn_says_that_it_is_not_complete(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.store.kept_turns = [RUNNING]
    assert (await client.get("/v1/turns/turn_2/trace")).json() == {
        "turnId": "turn_2",
        "state": "running",
        "events": [],
    }
