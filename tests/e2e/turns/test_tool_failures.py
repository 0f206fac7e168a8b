"""Tools that fail: a failure is never data, and a mutation never happens twice."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.shop import effects, idempotency_keys, struck
from tests.e2e.support.stack import SHOP_DATABASE, Stack, run_stack
from tests.e2e.support.turn import prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARCEL = "When does the parcel of ORD-1001 arrive?"

STUBBORN = """
  - name: try again whatever came of it
    when: {user: 'stubbornly', text: '"status":"error"', format: plan}
    reply: {json: {steps: [{type: take_action, instruction: Change it.}]}}
"""
"""A planner that repeats a change that failed."""


@pytest_asyncio.fixture(loop_scope="module")
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """The small project with the real shop."""
    source = small_project("limits: {toolTimeout: 1s}")
    async with run_stack(source, STUBBORN + PLANS + ACTIONS, tmp_path) as stack:
        yield stack


async def test_a_parcel_that_cannot_be_followed_is_said_to_be_so(shipped: Stack) -> None:
    await shipped.shop.arm("shipments", kind="503")
    turn = await shipped.ask(PARCEL)
    assert turn.ending == ("incomplete", "tool_failed")
    assert "cannot retrieve the shipping status" in turn.reply
    # Neither a tracking number nor a date, for nobody has told one.
    assert not re.search(
        r"1Z|\d{4}-\d\d-\d\d|tomorrow|\bon (mon|tues|wednes|thurs|fri)", turn.reply
    )
    (failed,) = turn.results("get_shipping_status")
    assert (failed["status"], failed["attempts"], failed["data"]) == ("error", 2, None)
    assert (failed["retryable"], failed["effect"]) == (True, "none")
    assert "503" in failed["message"]
    assert await struck(shipped.shop, "shipments") == 2
    # What else was found is there, and the planner was told of the failure.
    (found,) = turn.results("get_order_status")
    assert found["status"] == "success"
    # The scope is judged beside the plan, in whichever order they are asked.
    assert [rule for rule in turn.rules if not rule.startswith("scope")] == [
        "plan - where a parcel is",
        "look up an order and its parcel",
        "plan - a look-up failed, so say so",
        "answer - shipping could not be retrieved",
    ]
    blocks = turn.prompts[-1]["messages"][-1]["content"]
    assert [block.get("is_error") for block in blocks[:2]] == [False, True]


async def test_an_endpoint_that_recovers_between_two_attempts_is_no_failure(shipped: Stack) -> None:
    await shipped.shop.arm("shipments", kind="503", times=1)
    turn = await shipped.ask(PARCEL)
    assert turn.ending == ("resolved", "end_turn")
    (result,) = turn.results("get_shipping_status")
    assert (result["status"], result["attempts"]) == ("success", 2)
    assert "1Z999AA10123456784" in turn.reply


async def test_a_fast_path_that_fails_is_answered_by_the_long_way(shipped: Stack) -> None:
    await shipped.shop.arm("orders", kind="garbage")
    turn = await shipped.ask("Where is my order ORD-1001?")
    assert turn.ending == ("incomplete", "tool_failed")
    assert "cannot look up your order right now" in turn.reply
    assert [data["route"] for data in turn.of("model_call")] == ["validate", "plan", "execute"]
    assert not re.search(r"\d{4}-\d\d-\d\d|shipped", turn.reply)


LOOKUPS: dict[str, tuple[dict[str, Any], int, str]] = {
    "not available": ({"kind": "503"}, 2, "503"),
    "broken JSON": ({"kind": "garbage"}, 1, "not JSON"),
    "a connection that is cut": ({"kind": "reset"}, 2, "connection broke"),
    "no answer": ({"kind": "hang"}, 1, "no answer within 1 s"),
    "two megabytes": ({"kind": "flood"}, 1, "larger than 1048576 bytes"),
}
"""Fault, attempts that it takes, and what the model is told."""


@pytest.mark.parametrize(("fault", "attempts", "message"), LOOKUPS.values(), ids=LOOKUPS.keys())
async def test_a_look_up_that_fails_is_an_error_and_the_turn_is_incomplete(
    fault: dict[str, Any], attempts: int, message: str, stack: Stack
) -> None:
    await stack.shop.arm("orders", **fault)
    conversation = await stack.service.open()
    turn = await stack.say(conversation, "look up my order")
    assert turn.ending == ("incomplete", "tool_failed")
    (result,) = turn.results()
    assert (result["status"], result["attempts"], result["data"]) == ("error", attempts, None)
    assert message in result["message"]
    assert await struck(stack.shop, "orders") == attempts
    # The model reads the failure, and no more than that.
    (read,) = turn.prompts[-1]["messages"][-1]["content"][:1]
    assert read["is_error"] is True
    assert message in read["content"]
    assert max(len(json.dumps(prompt)) for prompt in turn.prompts) < 10_000

    await stack.shop.send("DELETE", "/faults")
    after = await stack.say(conversation, "look up my order")
    assert after.ending == ("resolved", "end_turn")


async def test_a_flood_that_a_tool_may_read_is_cut_to_its_size(stack: Stack) -> None:
    await stack.shop.arm("shipments", kind="flood")
    turn = await stack.ask("look for a parcel")
    (result,) = turn.results()
    assert (result["status"], result["attempts"]) == ("success", 1)
    assert len(json.dumps(result["data"])) < 400 * 4
    assert result["cut"]
    assert "of 7875 shown" in prompt_text(turn.prompts[-1])
    assert len(json.dumps(turn.prompts[-1])) < 10_000
    assert turn.answer["tokens"] < 10_000


LOST: dict[str, dict[str, Any]] = {
    "a connection that is cut": {"kind": "reset"},
    "broken JSON": {"kind": "garbage"},
    "no answer": {"kind": "hang"},
    "two megabytes": {"kind": "flood"},
}
"""Ways to lose the answer to a change that was made."""


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
async def test_a_change_whose_answer_is_lost_goes_to_a_person_and_is_not_repeated(
    fault: dict[str, Any], stack: Stack, tmp_path: Path
) -> None:
    await stack.shop.arm("returns", **fault, after_effect=True)
    conversation = await stack.service.open()
    turn = await stack.say(conversation, "return it, stubbornly")
    assert turn.ending == ("escalated", "unknown_effect")
    (result,) = turn.results()
    assert (result["status"], result["effect"], result["attempts"]) == ("error", "unknown", 1)
    assert result["retryable"] is False
    assert await struck(stack.shop, "returns") == 1
    escalation = turn.answer["escalation"]
    assert escalation["lastToolCall"]["tool"] == "create_return"
    assert "effect unknown" in escalation["summary"]
    assert await effects(stack.shop) == {"returns": 1}

    # Nor when the customer asks once more, and the shop would answer now.
    await stack.shop.send("DELETE", "/faults")
    again = await stack.say(conversation, "return it")
    assert (again.ending, again.requests) == (("escalated", "with_person"), [])
    assert await effects(stack.shop) == {"returns": 1}
    assert len(await idempotency_keys(tmp_path / SHOP_DATABASE)) == 1


async def test_a_change_that_surely_was_not_made_is_made_when_asked_for_again(
    stack: Stack, tmp_path: Path
) -> None:
    await stack.shop.arm("returns", kind="503", times=1)
    turn = await stack.ask("return it, stubbornly")
    refused, made = turn.results()
    assert (refused["status"], refused["effect"], refused["attempts"]) == ("error", "none", 1)
    assert (made["status"], made["effect"], made["attempts"]) == ("success", "applied", 1)
    assert turn.ending == ("resolved", "end_turn")
    assert await effects(stack.shop) == {"returns": 1}


async def test_a_key_keeps_a_change_from_happening_twice_when_its_refusal_was_a_lie(
    stack: Stack, tmp_path: Path
) -> None:
    await stack.shop.arm("returns", kind="503", times=1, after_effect=True)
    turn = await stack.ask("return it, stubbornly")
    assert [result["status"] for result in turn.results()] == ["error", "success"]
    assert await effects(stack.shop) == {"returns": 1}
    assert len(await idempotency_keys(tmp_path / SHOP_DATABASE)) == 1


async def test_a_change_that_is_turned_down_has_its_answer(stack: Stack) -> None:
    conversation = await stack.service.open(customer="CUST-1003")
    turn = await stack.say(conversation, "return it")
    (result,) = turn.results()
    assert (result["status"], result["effect"]) == ("not_found", "none")
    assert turn.ending == ("resolved", "end_turn")
    assert await effects(stack.shop) == {}


async def test_tools_that_fail_for_good_end_with_a_person(tmp_path: Path) -> None:
    insisting = """
  - name: plan the same look-up for ever
    when: {format: plan}
    reply: {json: {steps: [{type: gather_info, instruction: Look it up.}]}}
  - name: another order each time
    when: {offered: [get_order]}
    reply:
      tools: [{name: get_order, input: {order_id: 'ORD-{{ 1000 + called("get_order") }}'}}]
"""
    async with run_stack(
        small_project("breakers: {toolFailures: {afterIteration: 2, consecutive: 3}}"),
        insisting,
        tmp_path,
    ) as stack:
        await stack.shop.arm("orders", kind="garbage")
        turn = await stack.ask("look")
        assert await struck(stack.shop, "orders") == 3
    assert turn.ending == ("escalated", "tool_failures")
    assert turn.answer["iterations"] == 3
    (breaker,) = turn.of("breaker")
    assert breaker["limit"] == "breakers.toolFailures"
