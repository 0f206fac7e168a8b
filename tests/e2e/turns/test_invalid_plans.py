"""Plans that are none: asked for once more, then things are looked up and answered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.stack import Stack, run_stack
from tests.e2e.support.turn import prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """
  - name: no JSON, once
    when: {user: '^no JSON$', format: plan, times: 1}
    reply: {text: Sure!}
  - name: an unknown type, once
    when: {user: '^an unknown type$', format: plan, times: 1}
    reply: {json: {steps: [{type: dance, instruction: Now.}]}}
  - name: no instruction, once
    when: {user: '^no instruction$', format: plan, times: 1}
    reply: {json: {steps: [{type: respond}]}}
  - name: never a plan
    when: {user: '^Any news', format: plan}
    reply: {text: Sure!}
  - name: look up without a plan
    when: {user: '^Any news', offered: [get_order, get_parcel]}
    reply: {tools: [{name: get_order, input: {order_id: ORD-1001}}]}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A planner that makes the mistake that the message names."""
    folder = tmp_path_factory.mktemp("plans")
    async with run_stack(small_project(), RULES + PLANS + ACTIONS, folder) as stack:
        yield stack


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no JSON", "Invalid JSON: expected value"),
        ("an unknown type", "steps.0.type: Input should be"),
        ("no instruction", "steps.0.instruction: Field required"),
    ],
)
async def test_an_invalid_plan_is_asked_for_once_more_and_told_why(
    text: str, problem: str, stack: Stack
) -> None:
    turn = await stack.ask(text)
    invalid, plan = turn.of("plan")
    assert invalid["invalid"].startswith(problem)
    assert "yourLastPlanWasInvalid" not in prompt_text(turn.prompts[0])
    assert f'"yourLastPlanWasInvalid":"{problem}' in prompt_text(turn.prompts[1])
    assert [step["type"] for step in plan["steps"]] == ["respond"]
    assert turn.ending == ("resolved", "end_turn")


async def test_without_a_valid_plan_things_are_looked_up_and_answered(stack: Stack) -> None:
    turn = await stack.ask("Any news of ORD-1001?")
    assert [set(data) for data in turn.of("plan")] == [{"invalid"}, {"invalid"}]
    executed = turn.prompts[2]
    assert '<current_step type="gather_info">' in prompt_text(executed)
    assert "Any news of ORD-1001?" in prompt_text(executed)
    (result,) = turn.results()
    assert result["status"] == "success"
    assert '<current_step type="respond">' in prompt_text(turn.prompts[-1])
    assert turn.ending == ("resolved", "end_turn")
