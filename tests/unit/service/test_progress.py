from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from interlock.errors import StoreError
from interlock.service.progress import Progress, public_view, wants_events
from tests.unit.service.fakes import RESULT, FakeRuntime, make_event

MESSAGES = "/v1/conversations/conv_1/messages"
EVENTS = {"accept": "text/event-stream"}


def parse(text: str) -> list[tuple[str, Any]]:
    """The events of a stream as (name, data); comments are left out."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and line[0] != ":")
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def drain(progress: Progress) -> list[tuple[str, Any]]:
    return parse(b"".join([chunk async for chunk in progress.chunks()]).decode())


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=utf-8", True),
        ("application/json, text/event-stream", True),
        ("application/json", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
def test_events_must_be_asked_for_by_name(accept: str, wanted: bool) -> None:
    assert wants_events(accept) is wanted


SECRET = "very-secret"


@pytest.mark.parametrize(
    ("kind", "data", "shown"),
    [
        (
            "plan",
            {
                "steps": [
                    {
                        "type": "gather_info",
                        "instruction": "Look up the order",
                        "tools": ["get_order"],
                        "priority": "required",
                        "hard": False,
                    }
                ]
            },
            {
                "steps": [
                    {
                        "type": "gather_info",
                        "instruction": "Look up the order",
                        "priority": "required",
                    }
                ]
            },
        ),
        ("plan", {"invalid": SECRET}, {}),
        (
            "model_call",
            {"route": "execute", "attempt": 1, "usage": {}, "requestId": SECRET},
            {"route": "execute", "attempt": 1},
        ),
        (
            "model_call",
            {"route": "plan", "attempt": 2, "failure": "overloaded", "message": SECRET},
            {"route": "plan", "attempt": 2, "failure": "overloaded"},
        ),
        (
            "tool_call",
            {"id": "toolu_0001", "tool": "get_order", "input": {"a": SECRET}},
            {"id": "toolu_0001", "tool": "get_order"},
        ),
        (
            "tool_result",
            {"id": "toolu_0001", "tool": "t", "status": "error", "data": SECRET, "message": SECRET},
            {"id": "toolu_0001", "tool": "t", "status": "error"},
        ),
        (
            "guardrail",
            {"stage": "input", "verdict": "deny", "guardrail": "scope", "message": SECRET},
            {"stage": "input", "verdict": "deny", "guardrail": "scope"},
        ),
        (
            "escalation",
            {"queue": "humans", "reason": "repetition", "summary": SECRET, "lastToolCall": SECRET},
            {"queue": "humans", "reason": "repetition"},
        ),
        ("response", {"outcome": "resolved", "reply": SECRET}, {"outcome": "resolved"}),
        ("config", {"anything": SECRET}, {}),
    ],
)
def test_progress_shows_what_happens_but_no_contents(
    kind: str, data: dict[str, Any], shown: dict[str, Any]
) -> None:
    view = public_view(make_event(type=kind, data=data, cost_nano=5))
    assert SECRET not in str(view)
    common = {"turnId", "sequence", "iteration", "time"}
    assert {name: value for name, value in view.items() if name not in common} == shown
    assert common < view.keys() | {""}


def test_progress_shows_what_a_model_call_took() -> None:
    view = public_view(make_event(type="model_call", model="m", tokens=7, latency_ms=1.5))
    assert (view["model"], view["tokens"], view["latencyMs"]) == ("m", 7, 1.5)


async def test_events_come_in_order() -> None:
    progress = Progress()
    for sequence in range(1, 4):
        progress.push(make_event(sequence=sequence))
    progress.end()
    assert [data["sequence"] for _, data in await drain(progress)] == [1, 2, 3]


async def test_a_slow_reader_is_told_how_many_events_it_missed() -> None:
    progress = Progress(most=2)
    for sequence in range(1, 6):
        progress.push(make_event(sequence=sequence))
    progress.end()
    events = await drain(progress)
    assert [name for name, _ in events] == ["plan", "plan", "missed"]
    assert events[-1][1] == {"count": 3}


async def test_a_quiet_turn_shows_signs_of_life() -> None:
    progress = Progress(ping_seconds=0)
    chunks = progress.chunks()
    assert (await anext(chunks)).startswith(b":")
    assert (await anext(chunks)).startswith(b":")
    progress.push(make_event())
    assert (await anext(chunks)).startswith(b"event: plan\n")
    await chunks.aclose()


async def test_nothing_is_kept_for_a_reader_who_left() -> None:
    progress = Progress()
    progress.end()
    progress.push(make_event())
    assert await drain(progress) == []


async def test_a_stream_ends_with_the_answer(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.events = [make_event(sequence=1), make_event(sequence=2, type="response")]
    answer = await client.post(MESSAGES, json={"text": "hi"}, headers=EVENTS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-request-id"].startswith("req_")
    events = parse(answer.text)
    assert [name for name, _ in events] == ["plan", "response", "answer"]
    assert events[-1][1]["reply"] == RESULT.reply
    plain = await client.post(MESSAGES, json={"text": "hi"})
    assert events[-1][1] == plain.json()


async def test_what_is_wrong_before_the_stream_has_a_status_of_its_own(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    unknown = await client.post("/v1/conversations/no/messages", json={"text": "a"}, headers=EVENTS)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "conversation_not_found")
    empty = await client.post(MESSAGES, json={"text": ""}, headers=EVENTS)
    assert empty.status_code == 422
    runtime.stopping = True
    stopping = await client.post(MESSAGES, json={"text": "a"}, headers=EVENTS)
    assert stopping.status_code == 503


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (StoreError("very-secret disk"), 503, "store_unavailable"),
        (ValueError("very-secret bug"), 500, "internal"),
    ],
)
async def test_what_goes_wrong_later_is_the_last_event(
    client: httpx2.AsyncClient,
    runtime: FakeRuntime,
    failure: Exception,
    status: int,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime.failure = failure
    answer = await client.post(MESSAGES, json={"text": "hi"}, headers=EVENTS)
    ((name, problem),) = parse(answer.text)
    assert name == "error"
    assert (problem["status"], problem["code"]) == (status, code)
    assert SECRET not in answer.text
    assert problem["instance"].rpartition(":")[2] in caplog.text
