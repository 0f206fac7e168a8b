from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from interlock.cli.progress import Progress, summary
from interlock.model.base import JsonObject

ANSWER: JsonObject = {
    "turnId": "turn_1",
    "conversationId": "conv_1",
    "outcome": "resolved",
    "reply": "Here.",
    "reason": "end_turn",
    "iterations": 2,
    "modelCalls": 3,
    "toolCalls": 1,
    "tokens": 1641,
    "costUsd": "0.002286",
    "unpricedCalls": 0,
    "escalation": None,
}


def line(kind: str, **view: Any) -> str:
    output = io.StringIO()
    Progress(Console(file=output, highlight=False, markup=False))(kind, view)
    return output.getvalue()


def test_a_plan_shows_its_steps() -> None:
    steps = [
        {"type": "gather_info", "instruction": "Look it up."},
        {"type": "respond", "instruction": "Say\nso."},
    ]
    assert line("plan", steps=steps) == "plan        gather_info: Look it up.; respond: Say so.\n"


@pytest.mark.parametrize("view", [{"invalid": "no steps"}, {}])
def test_a_plan_that_is_not_usable_says_so(view: dict[str, Any]) -> None:
    assert line("plan", **view).startswith("plan        not usable: ")


def test_a_model_call_shows_route_model_tokens_and_time() -> None:
    view = {"route": "plan", "attempt": 1, "model": "m-1", "tokens": 624, "latencyMs": 12.3}
    assert line("model_call", **view) == "model       plan m-1 624 tokens 12 ms\n"


def test_a_failed_model_call_shows_why() -> None:
    view = {"route": "plan", "attempt": 2, "model": "m-1", "failure": "overloaded"}
    assert line("model_call", **view) == "model       plan m-1 attempt 2 failed: overloaded\n"


def test_a_tool_call_shows_its_input_where_that_is_known() -> None:
    assert line("tool_call", tool="look", input={"id": "ä"}) == 'tool        look {"id": "ä"}\n'
    assert line("tool_call", tool="look") == "tool        look\n"


def test_a_tool_result_shows_status_message_and_an_unknown_effect() -> None:
    view = {"tool": "pay", "status": "error", "message": "no answer", "effect": "unknown"}
    assert line("tool_result", **view) == (
        "result      pay error, it may or may not have happened: no answer\n"
    )


def test_guardrails_show_their_verdict() -> None:
    assert line("guardrail", stage="input", verdict="allow") == "guardrail   input allowed\n"
    denied = line("guardrail", stage="output", verdict="deny", guardrail="max_length", message="x")
    assert denied == "guardrail   output denied by max_length: x\n"


def test_only_observations_that_decide_are_shown() -> None:
    assert line("observation", action="continue", reason="next") == ""
    assert line("observation", action="escalate", reason="repetition") == (
        "observe     escalate: repetition\n"
    )


def test_breakers_and_escalations_are_shown() -> None:
    shown = line("breaker", breaker="tokens", limit="limits.maxTokens", detail="none left")
    assert shown == "breaker     tokens (limits.maxTokens): none left\n"
    assert line("escalation", queue="shop", reason="tokens") == "escalation  to shop: tokens\n"


def test_what_is_not_known_is_not_shown() -> None:
    assert line("response", outcome="resolved") == ""
    assert line("something_new", a=1) == ""


def test_a_tools_data_cannot_command_the_terminal() -> None:
    shown = line("tool_result", tool="t", status="error", message="\x1b]0;x\x07", effect="none")
    assert "\x1b" not in shown
    assert "\x07" not in shown


@pytest.mark.parametrize(
    ("change", "cost"),
    [
        ({}, "$0.002286"),
        ({"costUsd": None, "unpricedCalls": 3}, "cost unknown"),
        ({"unpricedCalls": 1}, "$0.002286 and 1 call of unknown cost"),
        ({"costUsd": "0"}, "$0"),
    ],
)
def test_the_summary_never_takes_an_unknown_cost_for_nothing(change: JsonObject, cost: str) -> None:
    assert summary({**ANSWER, **change}) == (
        "resolved (end_turn), 2 iterations, 3 model calls, 1 tool call, 1641 tokens, "
        f"{cost}, turn_1"
    )
