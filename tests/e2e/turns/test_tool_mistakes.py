"""Tool calls that a model must not make: told so, counted, and never carried out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.shop import effects
from tests.e2e.support.stack import Stack, run_stack
from tests.e2e.support.turn import prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_OFFERED = ("teleport", "get order/ü", "create_return")

INVALID = {
    "{order_id: '1001'}": "order_id: '1001' does not match",
    "{order_id: 1001}": "order_id: 1001 is not of type 'string'",
    "{}": "'order_id' is a required property",
    "{order_id: ORD-1001, verbose: true}": "Additional properties are not allowed",
    "{order_id: null}": "order_id: None is not of type 'string'",
}
"""Inputs of `get_order`, and what is wrong with them."""

RULES = """
  - name: both at once
    when: {user: '^look at both', text: Look it up, format: none}
    reply: {tools: [{name: teleport}, {name: get_order, input: {order_id: ORD-1001}}]}
  - name: the same mistake
    when: {user: '^look for ever', offered: [get_order]}
    reply: {tools: [{name: get_order, input: {order_id: '1001'}}]}
  - name: plan to look again
    when: {format: plan, user: '^look', text: 'the input is not valid'}
    reply: {json: {steps: [{type: gather_info, instruction: Look it up.}]}}
"""


def once(text: str, tool: str, given: str) -> str:
    """A rule that makes this call the first time that it is told `text`."""
    when = f"{{user: '^{text}$', text: Look it up, format: none, times: 1}}"
    return f"""
  - name: {text}
    when: {when}
    reply: {{tools: [{{name: '{tool}', input: {given}}}]}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A model that makes the mistake that the message names."""
    made = "{order_id: ORD-1002, items: [SKU-1201], reason: because}"
    rules = RULES
    for number, tool in enumerate(NOT_OFFERED):
        rules += once(f"look with tool {number}", tool, made)
    for number, given in enumerate(INVALID):
        rules += once(f"look with input {number}", "get_order", given)
    folder = tmp_path_factory.mktemp("tools")
    async with run_stack(small_project(), rules + PLANS + ACTIONS, folder) as stack:
        yield stack


@pytest.mark.parametrize("tool", NOT_OFFERED)
async def test_a_tool_that_was_not_offered_is_answered_with_an_error_and_not_carried_out(
    tool: str, stack: Stack
) -> None:
    turn = await stack.ask(f"look with tool {NOT_OFFERED.index(tool)}")
    (result,) = turn.results()
    assert (result["tool"], result["status"], result["attempts"]) == (tool, "error", 0)
    assert "cannot be called in this step" in result["message"]
    assert "offered: call_a_person, get_order, get_parcel" in result["message"]
    assert turn.answer["toolCalls"] == 1
    assert await effects(stack.shop) == {}
    # The model was told, and the turn went on.
    (read, *_) = turn.prompts[-1]["messages"][-1]["content"]
    assert (read["type"], read["is_error"]) == ("tool_result", True)
    assert "cannot be called in this step" in read["content"]
    assert turn.ending == ("resolved", "end_turn")


async def test_one_bad_call_does_not_spoil_the_good_one_beside_it(stack: Stack) -> None:
    turn = await stack.ask("look at both")
    assert [(each["tool"], each["status"]) for each in turn.results()] == [
        ("teleport", "error"),
        ("get_order", "success"),
    ]
    assert turn.ending == ("resolved", "end_turn")


@pytest.mark.parametrize(("given", "problem"), INVALID.items())
async def test_a_model_that_gives_invalid_input_is_told_why_and_corrects_itself(
    given: str, problem: str, stack: Stack
) -> None:
    turn = await stack.ask(f"look with input {[*INVALID].index(given)}")
    refused, found = turn.results()
    assert (refused["status"], refused["attempts"]) == ("error", 0)
    assert f"the input is not valid: {problem}" in refused["message"]
    # Both models read what is wrong: the planner, and the one that is to do better.
    assert f"the input is not valid: {problem}" in prompt_text(turn.prompts[2])
    assert f"the input is not valid: {problem}" in prompt_text(turn.prompts[3])
    assert (found["status"], found["attempts"]) == ("success", 1)
    assert turn.ending == ("resolved", "end_turn")


async def test_a_model_that_never_gives_valid_input_is_stopped(stack: Stack) -> None:
    turn = await stack.ask("look for ever")
    assert turn.ending == ("escalated", "repetition")
    assert turn.answer["iterations"] == 3
    assert {result["attempts"] for result in turn.results()} == {0}
