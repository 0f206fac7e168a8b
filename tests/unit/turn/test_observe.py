from __future__ import annotations

import itertools
from typing import Any

import pytest

from interlock.model.agent import Agent
from interlock.turn.observe import Decision, Observation, observe
from interlock.turn.repetition import Loop
from tests.unit.turn.scripted import compiled

CALM: dict[str, Any] = {
    "iteration": 1,
    "shortage": None,
    "detail": None,
    "loop": None,
    "failed_iterations": 0,
    "handed_over": False,
    "unknown_effect": None,
    "unknown_stop": None,
    "has_reply": False,
}
AGENT = compiled("limits: {maxIterations: 10}").spec
LOOP = Loop("identical_calls", "get_order", 3)


def see(agent: Agent = AGENT, **seen: Any) -> Decision:
    return observe(Observation(**{**CALM, **seen}), agent)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, Decision("continue", "next")),
        ({"has_reply": True}, Decision("complete", "end_turn")),
        ({"handed_over": True}, Decision("escalate", "model_asked")),
        (
            {"unknown_effect": "create_return"},
            Decision(
                "escalate",
                "unknown_effect",
                detail="create_return: it is not known whether it happened",
            ),
        ),
        (
            {"unknown_stop": "bored"},
            Decision("escalate", "unknown_stop_reason", detail="bored"),
        ),
        ({"iteration": 9}, Decision("continue", "next")),
        (
            {"iteration": 10},
            Decision(
                "complete",
                "iterations",
                "limits.maxIterations",
                "10 iterations without an answer",
            ),
        ),
        (
            {"shortage": "tokens", "detail": "too little"},
            Decision("complete", "tokens", "limits.maxTokens", "too little"),
        ),
        (
            {"shortage": "cost", "detail": "d"},
            Decision("complete", "cost", "limits.maxCostUsd", "d"),
        ),
        (
            {"shortage": "time", "detail": "d"},
            Decision("complete", "time", "limits.turnTimeout", "d"),
        ),
        ({"shortage": "context", "detail": "d"}, Decision("complete", "context", None, "d")),
        (
            {"loop": LOOP},
            Decision(
                "escalate",
                "repetition",
                "breakers.repetition.identicalCalls",
                "get_order: 3 calls (identical calls)",
            ),
        ),
        (
            {"loop": Loop("same_result", "find", 6)},
            Decision(
                "escalate",
                "repetition",
                "breakers.repetition.sameResult",
                "find: 6 calls (same result)",
            ),
        ),
        (
            {"loop": Loop("polls", "find", 12)},
            Decision(
                "escalate", "repetition", "breakers.repetition.polls", "find: 12 calls (polls)"
            ),
        ),
        ({"failed_iterations": 3, "iteration": 3}, Decision("continue", "next")),
        ({"failed_iterations": 2, "iteration": 9}, Decision("continue", "next")),
        (
            {"failed_iterations": 3, "iteration": 4},
            Decision(
                "escalate",
                "tool_failures",
                "breakers.toolFailures",
                "every tool call failed in 3 iterations in a row",
            ),
        ),
    ],
)
def test_one_thing_to_see_leads_to_one_decision(seen: dict[str, Any], expected: Decision) -> None:
    assert see(**seen) == expected


@pytest.mark.parametrize("shortage", ["tokens", "cost", "time", "context"])
def test_a_used_up_limit_escalates_where_the_agent_says_so(shortage: str) -> None:
    agent = compiled("limits: {maxIterations: 10, onExhausted: escalate}").spec
    assert see(agent, shortage=shortage).action == "escalate"
    assert see(agent, iteration=10).action == "escalate"


def test_the_agents_own_numbers_count() -> None:
    agent = compiled("breakers: {toolFailures: {afterIteration: 0, consecutive: 1}}").spec
    assert see(agent, failed_iterations=1).reason == "tool_failures"
    assert see(agent, failed_iterations=0).reason == "next"


def test_the_rules_hold_in_their_order_whatever_comes_together() -> None:
    """Every combination of everything that can be seen, against the order as it is written."""
    domain: dict[str, list[Any]] = {
        "handed_over": [False, True],
        "unknown_effect": [None, "create_return"],
        "unknown_stop": [None, "bored"],
        "iteration": [1, 4, 10, 11],
        "shortage": [None, "tokens", "cost", "time", "context"],
        "loop": [None, LOOP],
        "failed_iterations": [0, 3],
        "has_reply": [False, True],
    }
    for values in itertools.product(*domain.values()):
        seen = dict(zip(domain, values, strict=True))
        rules = [
            (seen["handed_over"], "escalate", "model_asked"),
            (seen["unknown_effect"], "escalate", "unknown_effect"),
            (seen["unknown_stop"], "escalate", "unknown_stop_reason"),
            (not seen["has_reply"] and seen["iteration"] >= 10, "complete", "iterations"),
            (not seen["has_reply"] and seen["shortage"], "complete", seen["shortage"]),
            (seen["loop"], "escalate", "repetition"),
            (
                not seen["has_reply"] and seen["failed_iterations"] >= 3 and seen["iteration"] > 3,
                "escalate",
                "tool_failures",
            ),
            (seen["has_reply"], "complete", "end_turn"),
            (True, "continue", "next"),
        ]
        expected = next((action, reason) for holds, action, reason in rules if holds)
        decision = see(**seen)
        assert (decision.action, decision.reason) == expected, seen
