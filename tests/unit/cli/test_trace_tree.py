from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from interlock.cli.trace_tree import trace_tree
from interlock.model.event import EventType, TraceEvent

TIME = datetime(2026, 1, 2, tzinfo=UTC)
USAGE = {"input": 100, "cacheWrite5m": 0, "cacheWrite1h": 0, "cacheRead": 0, "output": 20}
LONG = "word " * 60


class Recorder:
    """Makes the events of one turn."""

    def __init__(self) -> None:
        self.events: list[TraceEvent] = []

    def add(self, kind: EventType, iteration: int, data: dict[str, Any], **measures: Any) -> None:
        self.events.append(
            TraceEvent(
                turn_id="turn_1",
                sequence=len(self.events) + 1,
                type=kind,
                time=TIME,
                conversation_id="conv_1",
                customer_id=None,
                agent="support",
                snapshot="d" * 64,
                iteration=iteration,
                data=data,
                **measures,
            )
        )

    def add_model_call(self, iteration: int, cost_nano: int | None = 1000, **data: Any) -> None:
        facts = {"route": "execute", "attempt": 1, "usage": USAGE, "stopReason": "end_turn", **data}
        measures = {"model": "m-1", "tokens": 120, "cost_nano": cost_nano, "latency_ms": 1234.0}
        self.add("model_call", iteration, facts, **measures)


def render(events: Sequence[TraceEvent], **options: Any) -> str:
    output = io.StringIO()
    console = Console(file=output, highlight=False, markup=False, soft_wrap=True, **options)
    console.print(trace_tree(events))
    return output.getvalue()


def test_a_turn_reads_from_plan_to_reply() -> None:
    turn = Recorder()
    turn.add("guardrail", 0, {"stage": "input", "verdict": "allow"})
    turn.add_model_call(0, route="plan")
    steps = [
        {"type": "gather_info", "instruction": "Look.", "tools": ["look"], "hard": True},
        {"type": "respond", "instruction": "Say.", "tools": [], "priority": "optional"},
    ]
    turn.add("plan", 0, {"steps": steps})
    turn.add("tool_call", 1, {"id": "a", "tool": "look", "input": {"id": 7}})
    result = {"id": "a", "tool": "look", "status": "success", "data": {"eta": "soon"}}
    result |= {"message": None, "effect": "none", "cut": [], "attempts": 1}
    turn.add("tool_result", 1, result, latency_ms=4.0)
    turn.add("observation", 1, {"action": "complete", "reason": "end_turn"})
    response = {"outcome": "resolved", "reason": "end_turn", "reply": "It comes soon."}
    turn.add("response", 1, response, latency_ms=1500.0)
    assert render(turn.events) == (
        "turn_1 of support resolved (end_turn)\n"
        "├── start\n"
        "│   ├── guardrail input: allowed\n"
        "│   ├── model plan m-1, 100 in, 20 out, $0.000001, end_turn, 1.2 s\n"
        "│   └── plan\n"
        "│       ├── 1. gather_info, hard: Look. [look]\n"
        "│       └── 2. respond, optional: Say.\n"
        "├── iteration 1\n"
        '│   ├── tool look {"id": 7} success, 4 ms\n'
        '│   │   └── {"eta": "soon"}\n'
        "│   └── observation complete: end_turn\n"
        "├── reply It comes soon.\n"
        "└── totals 1 model call, 1 tool call, 100 tokens in, 20 out, $0.000001, 1.5 s\n"
    )


def test_what_went_wrong_is_told_in_full() -> None:
    turn = Recorder()
    failure = {"failure": "overloaded", "message": "try later", "status": 529}
    failure |= {"route": "execute", "attempt": 2, "maybeBilled": True, "retryInSeconds": None}
    turn.add("model_call", 1, failure, model="m-1", tokens=900, cost_nano=5_000_000)
    turn.add("tool_call", 1, {"id": "a", "tool": "pay", "input": {}})
    result = {"id": "a", "tool": "pay", "status": "error", "data": None, "message": "no answer"}
    turn.add("tool_result", 1, {**result, "effect": "unknown", "cut": [], "attempts": 2})
    detail = {"breaker": "tokens", "limit": "limits.maxTokens", "detail": "9 needed, 3 left"}
    turn.add("breaker", 1, detail)
    turn.add(
        "guardrail", 1, {"stage": "output", "verdict": "deny", "guardrail": "g", "message": "m"}
    )
    turn.add("escalation", 1, {"queue": "shop", "reason": "unknown_effect", "detail": None})
    text = render(turn.events)
    assert "turn_1 of support has not ended\n" in text
    assert (
        "model execute m-1, attempt 2, failed: overloaded 529: try later, counted as 900 tokens,"
        " $0.005000, not tried again\n"
    ) in text
    assert "tool pay {} error, effect unknown, 2 attempts\n" in text
    assert "└── no answer\n" in text
    assert "breaker tokens (limits.maxTokens): 9 needed, 3 left\n" in text
    assert "guardrail output: denied by g: m\n" in text
    assert "escalation to shop: unknown_effect\n" in text


def test_a_call_that_never_came_back_is_not_hidden() -> None:
    turn = Recorder()
    turn.add("tool_call", 1, {"id": "a", "tool": "look", "input": {}})
    assert "tool look {} no result\n" in render(turn.events)


def test_an_unknown_price_is_not_nothing() -> None:
    turn = Recorder()
    turn.add_model_call(1, cost_nano=None)
    assert "20 out, cost unknown\n" in render(turn.events)
    turn.add_model_call(1, cost_nano=2000)
    assert "40 out, $0.000002 and 1 call of unknown cost\n" in render(turn.events)


def test_a_trace_without_events_says_so() -> None:
    assert render([]) == "no events were recorded\n"


def test_lines_are_whole_in_a_file_and_folded_on_a_terminal() -> None:
    turn = Recorder()
    turn.add("response", 0, {"outcome": "resolved", "reason": "end_turn", "reply": LONG[:200]})
    assert LONG[:200].strip() in render(turn.events)
    shown = render(turn.events, force_terminal=True, color_system=None, width=50)
    assert max(len(line) for line in shown.splitlines()) <= 50
    assert shown.count("word") == 40


def test_a_tools_data_cannot_command_the_terminal() -> None:
    turn = Recorder()
    turn.add("response", 0, {"outcome": "failed", "reason": "x", "reply": "a\x1b[2Jb"})
    assert "\x1b" not in render(turn.events)
