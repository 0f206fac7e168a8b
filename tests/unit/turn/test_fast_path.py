from __future__ import annotations

import pytest

from interlock.model.result import ToolResult
from interlock.turn.fast_path import match_fast_path
from interlock.turn.ports import ModelFailure, ModelReply
from tests.unit.turn.scripted import (
    Saying,
    ScriptedCtx,
    asking,
    broken,
    calls,
    compiled,
    fails,
    found,
    guards_of,
    plans,
    play,
    says,
)

PATHS = """
fastPaths:
  - name: status
    match:
      patterns:
        - '(?i)^where is (?P<order_id>ORD-\\d+)\\??$'
        - '(?i)^status of (?P<order_id>ORD-\\d+)( by (?P<day>\\w+))?$'
      maxCharacters: 40
    call: {tool: get_order, input: {order_id: '{{ match.order_id }}'}}
  - name: parcel
    match: {patterns: ['(?i)parcel of (?P<order_id>ORD-\\d+)']}
    call: {tool: get_shipping, input: {order_id: '{{ match.order_id }} {{ session.lang }}'}}
  - name: note
    match: {patterns: ['^note: (?P<note>.+)$']}
    call: {tool: add_note, input: {note: '{{ match.note }}'}}
"""
AGENT = compiled(PATHS)


@pytest.mark.parametrize(
    ("text", "name", "groups"),
    [
        ("Where is ORD-7?", "status", {"order_id": "ORD-7"}),
        ("status of ORD-7", "status", {"order_id": "ORD-7", "day": ""}),
        ("status of ORD-7 by Monday", "status", {"order_id": "ORD-7", "day": "Monday"}),
        ("Tell me: where is the parcel of ORD-7?", "parcel", {"order_id": "ORD-7"}),
    ],
)
def test_a_message_takes_the_first_path_that_matches(
    text: str, name: str, groups: dict[str, str]
) -> None:
    matched = match_fast_path(AGENT, text)
    assert matched is not None
    assert (matched[0].spec.name, matched[1]) == (name, groups)


@pytest.mark.parametrize(
    "text", ["", "Where is my order?", "Where is ORD-7, and can I send it back?", "x" * 1000]
)
def test_any_other_message_goes_to_the_planner(text: str) -> None:
    assert match_fast_path(AGENT, text) is None


def test_a_long_message_never_takes_the_path() -> None:
    text = "status of ORD-7 by " + "y" * 21
    assert len(text) == 40
    assert match_fast_path(AGENT, text) is not None
    assert match_fast_path(AGENT, text + "y") is None


async def test_one_tool_call_and_one_call_of_the_cheap_model_are_enough() -> None:
    ctx = ScriptedCtx([says("It has been sent.")], {"get_order": found({"status": "sent"})})
    result = await play(ctx, AGENT, asking("Where is ORD-7?"))
    assert (result.outcome, result.reason, result.reply) == (
        "resolved",
        "fast_path",
        "It has been sent.",
    )
    assert ctx.log == ["tools:get_order", "model:haiku"]
    assert ctx.made == [("get_order", {"order_id": "ORD-7", "customer_id": "CUST-1"})]
    assert ctx.data("model_call")[0]["route"] == "fastPath"
    assert result.iterations == 1


async def test_not_found_is_an_answer_too() -> None:
    ctx = ScriptedCtx(
        [says("There is no such order.")],
        {"get_order": lambda _: ToolResult("not_found", attempts=1)},
    )
    assert (await play(ctx, AGENT, asking("Where is ORD-7?"))).reason == "fast_path"


async def test_after_a_failure_the_planner_takes_over() -> None:
    ctx = ScriptedCtx(
        [plans("respond"), says("I cannot see it right now.")], {"get_order": broken()}
    )
    result = await play(ctx, AGENT, asking("Where is ORD-7?"))
    assert ctx.log == ["tools:get_order", "model:haiku", "model:sonnet"]
    assert (result.outcome, result.reason) == ("incomplete", "tool_failed")
    assert "the service is down" in str(ctx.requests[0])


@pytest.mark.parametrize(
    "unusable",
    [says(""), says("It has be", "max_tokens"), says("", "refusal"), fails("rejected")],
    ids=["empty", "cut off", "refused", "unavailable"],
)
async def test_without_a_whole_answer_the_loop_takes_over(
    unusable: ModelReply | ModelFailure,
) -> None:
    ctx = ScriptedCtx(
        [unusable, plans("respond"), says("It has been sent.")],
        {"get_order": found({"status": "sent"})},
    )
    result = await play(ctx, AGENT, asking("Where is ORD-7?"))
    assert (result.outcome, result.reason) == ("resolved", "end_turn")
    assert result.reply == "It has been sent."


async def test_a_path_that_lacks_a_claim_is_not_taken() -> None:
    ctx = ScriptedCtx([plans("respond"), says("Which order?")])
    result = await play(ctx, AGENT, asking("parcel of ORD-7"))
    assert (result.reason, result.tool_calls, result.iterations) == ("end_turn", 0, 1)


async def test_an_action_of_unknown_effect_goes_to_a_person_at_once() -> None:
    ctx = ScriptedCtx([], {"add_note": broken("it timed out", effect="unknown")})
    result = await play(ctx, AGENT, asking("note: call me"))
    assert (result.outcome, result.reason) == ("escalated", "unknown_effect")
    assert ctx.log == ["mutate:add_note"]


async def test_a_path_counts_as_an_iteration() -> None:
    agent = compiled(PATHS + "limits: {maxIterations: 1}")
    ctx = ScriptedCtx([says("I could not find out.")], {"get_order": broken()})
    result = await play(ctx, agent, asking("Where is ORD-7?"))
    assert (result.outcome, result.reason) == ("incomplete", "iterations")
    assert result.iterations == 1


async def test_no_tool_is_called_before_the_message_is_admitted() -> None:
    agent = compiled(PATHS, guards=guards_of(input=(Saying("ORD-7"),)))
    ctx = ScriptedCtx([])
    result = await play(ctx, agent, asking("Where is ORD-7?"))
    assert (result.outcome, result.reason) == ("refused", "guardrail:no_word")
    assert ctx.log == []


async def test_an_admitted_message_takes_its_path_without_a_plan() -> None:
    agent = compiled(PATHS, guards=guards_of(input=(Saying("poison"),)))
    ctx = ScriptedCtx([says("It has been sent.")], {"get_order": found()})
    result = await play(ctx, agent, asking("Where is ORD-7?"))
    assert (result.reason, ctx.log) == ("fast_path", ["tools:get_order", "model:haiku"])


async def test_the_output_guardrails_judge_the_answer_of_a_path() -> None:
    agent = compiled(PATHS, guards=guards_of(output=(Saying("secret"),)))
    ctx = ScriptedCtx([says("A secret."), says("It is sent.")], {"get_order": found()})
    result = await play(ctx, agent, asking("Where is ORD-7?"))
    assert (result.outcome, result.reply) == ("resolved", "It is sent.")


async def test_later_steps_see_what_the_path_found() -> None:
    ctx = ScriptedCtx(
        [
            says(""),
            plans("gather_info"),
            calls(("get_shipping", {"order_id": "ORD-7"})),
            plans("respond"),
            says("On its way."),
        ],
        {"get_order": found({"status": "sent"}), "get_shipping": found()},
    )
    await play(ctx, AGENT, asking("Where is ORD-7?"))
    for request in ctx.requests:
        assert "sent" in str(request["messages"])
