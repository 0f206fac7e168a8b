"""The split order, which leads from parent to child and back, and a model that follows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.support.shipped import shipped_project, shipped_rules
from tests.e2e.support.shop import struck, watch
from tests.e2e.support.stack import run_stack

TEXT = "Show me every parcel of order ORD-2000"

FOLLOW = (
    "{type: gather_info, instruction: 'Follow the split order.', tools: [get_order_status],"
    " priority: required, hard: false}"
)
NAIVE = f"""
  - name: plan to follow the split order to its end
    when: {{format: plan, user: 'every parcel'}}
    reply: {{json: {{steps: [{", ".join([FOLLOW] * 12)}]}}}}
"""
"""A planner that keeps its plan has to plan the loop, to go round in it."""


@pytest.mark.parametrize(
    ("agent", "first", "calls"),
    [
        pytest.param("support", NAIVE, 1 + 1 + 5 + 1, id="along a plan that is kept"),
        pytest.param("returns", "", 5 + 5, id="with a new plan each time"),
    ],
)
async def test_a_loop_ends_with_a_person_well_within_the_limits(
    agent: str, first: str, calls: int, tmp_path: Path
) -> None:
    async with run_stack(shipped_project(), shipped_rules(first), tmp_path) as stack:
        await watch(stack.shop, "orders")
        conversation = await stack.service.open(agent)
        turn = await stack.say(conversation, TEXT)
        limits = {
            each["name"]: each["limits"]
            for each in (await stack.service.get("/v1/agents"))["agents"]
        }[agent]
        assert await struck(stack.shop, "orders") == 5
        spent = await stack.service.get(f"/v1/conversations/{conversation}")
    assert turn.ending == ("escalated", "repetition")
    # Parent, child, parent, child, parent: the third time that the parent says the same.
    asked = [call["input"]["order_id"] for call in turn.of("tool_call")]
    assert asked == ["ORD-2000", "ORD-2001", "ORD-2000", "ORD-2001", "ORD-2000"]
    assert turn.answer["iterations"] == 5 < limits["maxIterations"]
    assert turn.answer["modelCalls"] == calls
    assert turn.answer["tokens"] < limits["maxTokens"] / 2
    assert float(turn.answer["costUsd"]) < float(limits["maxCostUsd"]) / 10

    (breaker,) = turn.of("breaker")
    assert (breaker["breaker"], breaker["limit"]) == (
        "repetition",
        "breakers.repetition.identicalCalls",
    )
    assert [each["action"] for each in turn.of("observation")] == ["continue"] * 4 + ["escalate"]
    # The conversation's account is the sum of the turn's model calls, to the last token.
    assert (spent["tokens"], spent["costUsd"]) == (turn.answer["tokens"], turn.answer["costUsd"])
    assert "ORD-2000" in turn.answer["escalation"]["summary"]
