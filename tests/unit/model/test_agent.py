from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from interlock.model.agent import Agent, Route, Routes
from interlock.model.event import TraceEvent
from interlock.model.tool import Tool

AGENT: dict[str, Any] = {
    "name": "support",
    "description": "Answers.",
    "models": {"plan": "small", "execute": "large"},
    "tools": ("get_order",),
    "prompts": {"system": "You answer."},
}
TOOL: dict[str, Any] = {
    "name": "get_order",
    "category": "lookup",
    "description": "Returns it.",
    "whenToUse": "Always.",
}
HTTP: dict[str, Any] = {"http": {"url": "http://shop"}}
PYTHON: dict[str, Any] = {"python": {"function": "plugins/shop.py:get"}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "small large large small small"),
        ({"reason": "best"}, "small large best small small"),
        ({"validate": "judge", "fastPath": "quick"}, "small large large judge quick"),
    ],
)
def test_a_route_that_is_left_out_goes_to_a_model_of_its_kind(
    more: dict[str, str], expected: str
) -> None:
    routes = Routes.model_validate({"plan": "small", "execute": "large", **more})
    order: tuple[Route, ...] = ("plan", "execute", "reason", "validate", "fastPath")
    assert set(order) == set(get_args(Route))
    assert [routes.name(route) for route in order] == expected.split()


@pytest.mark.parametrize(
    ("limit", "nano"),
    [
        ("null", None),
        ("0", 0),
        ("0.50", 500_000_000),
        ("0.1", 100_000_000),
        ("1e-9", 1),
        ("0.0000000019", 1),
        ("12.345678901", 12_345_678_901),
    ],
)
def test_a_cost_limit_is_exact_to_the_nano_dollar_and_never_rounded_up(
    limit: str, nano: int | None
) -> None:
    text = json.dumps({**AGENT, "limits": {"maxCostUsd": "LIMIT"}}).replace('"LIMIT"', limit)
    assert Agent.model_validate_json(text).max_cost_nano == nano


@pytest.mark.parametrize(
    "more",
    [
        HTTP,
        PYTHON,
        {**HTTP, "category": "mutation", "idempotency": {"key": ("order_id",)}},
        {"category": "escalation"},
    ],
)
def test_a_tool_says_how_it_is_carried_out(more: dict[str, Any]) -> None:
    tool = Tool.model_validate({**TOOL, **more})
    assert tool.is_mutation == (tool.category == "mutation")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "by 'http' or by 'python'"),
        ({**HTTP, **PYTHON}, "by 'http' or by 'python'"),
        ({**HTTP, "category": "escalation"}, "has no 'http'"),
        ({**PYTHON, "category": "escalation"}, "has no 'python'"),
        ({**HTTP, "idempotency": {}}, "only a tool of category 'mutation'"),
        ({"category": "escalation", "idempotency": {}}, "only a tool of category 'mutation'"),
    ],
)
def test_a_tool_of_contradictions_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Tool.model_validate({**TOOL, **more})


def test_a_trace_event_survives_json() -> None:
    event = TraceEvent(
        turn_id="turn_1",
        sequence=3,
        type="model_call",
        time=datetime(2026, 11, 22, 9, 0, 0, 5, tzinfo=UTC),
        conversation_id="conv_1",
        customer_id=None,
        agent="support",
        snapshot="abc",
        iteration=2,
        latency_ms=1.5,
        model="m",
        tokens=7,
        cost_nano=None,
        data={"attempt": 1},
    )
    assert TraceEvent.from_json(event.to_json()) == event
