"""Whole turns that go their usual ways; what stops them is in `test_limits` and `test_ends`."""

from __future__ import annotations

import asyncio

import pytest

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.turn import Message, Spent
from interlock.model.usage import Usage
from interlock.turn.loop import run_turn
from interlock.turn.ports import ModelFailure, ModelReply
from tests.unit.turn.scripted import (
    AGENT,
    Hang,
    ScriptedCtx,
    asking,
    broken,
    calls,
    compiled,
    fails,
    found,
    plans,
    play,
    reply,
    says,
    step,
)

ORDER = {"order_id": "ORD-1"}
SENT = {"get_order": found({"status": "sent"}), "get_shipping": found({"at": "Oslo"})}
KEEP = compiled("planner: {replan: onChange}")
ALWAYS = compiled("planner: {replan: always}")
LOOK_UP = calls(("get_order", ORDER))


def instruction(request: JsonObject) -> str:
    text: str = request["messages"][-1]["content"][-1]["text"]
    return text


class TestLookUp:
    async def test_three_calls_when_the_plan_is_kept(self) -> None:
        ctx = ScriptedCtx([plans("gather_info", "respond"), LOOK_UP, says("It was sent.")], SENT)
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.reason) == ("resolved", "end_turn")
        assert result.reply == "It was sent."
        assert (result.iterations, result.model_calls, result.tool_calls) == (2, 3, 1)
        assert ctx.log == ["model:haiku", "model:sonnet", "tools:get_order", "model:sonnet"]

    async def test_four_calls_when_it_is_always_made_anew(self) -> None:
        ctx = ScriptedCtx(
            [plans("gather_info", "respond"), LOOK_UP, plans("respond"), says("It was sent.")],
            SENT,
        )
        result = await play(ctx, ALWAYS, asking())
        assert (result.outcome, result.model_calls, result.iterations) == ("resolved", 4, 2)
        # The second plan knows what has been done.
        assert '"status":"sent"' in instruction(ctx.requests[2])

    async def test_the_whole_course_is_traced(self) -> None:
        ctx = ScriptedCtx([plans("gather_info", "respond"), LOOK_UP, says("It was sent.")], SENT)
        await play(ctx, KEEP, asking())
        assert [(event.iteration, event.type) for event in ctx.events] == [
            (1, "model_call"),
            (1, "plan"),
            (1, "model_call"),
            (1, "tool_call"),
            (1, "tool_result"),
            (1, "observation"),
            (2, "model_call"),
            (2, "observation"),
            (2, "response"),
        ]
        assert ctx.data("observation") == [
            {"action": "continue", "reason": "next"},
            {"action": "complete", "reason": "end_turn"},
        ]
        assert {event.snapshot for event in ctx.events} == {KEEP.snapshot}
        assert [data["route"] for data in ctx.data("model_call")] == ["plan", "execute", "execute"]
        assert ctx.data("model_call")[1]["tools"] == [
            "call_a_person",
            "get_order",
            "get_shipping",
            "list_orders",
        ]

    async def test_an_answer_may_come_before_the_plan_is_done(self) -> None:
        ctx = ScriptedCtx([plans("gather_info", "respond"), says("Which order do you mean?")])
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.iterations) == ("resolved", 1)

    async def test_several_look_ups_of_one_reply_make_one_step(self) -> None:
        both = calls(("get_order", ORDER), ("get_shipping", ORDER), text="I look at both.")
        ctx = ScriptedCtx([plans("gather_info", "respond"), both, says("In Oslo.")], SENT)
        result = await play(ctx, KEEP, asking())
        assert "tools:get_order,get_shipping" in ctx.log
        assert result.tool_calls == 2

    async def test_ids_of_calls_are_our_own_and_never_repeat(self) -> None:
        again = calls(("get_shipping", ORDER))
        ctx = ScriptedCtx(
            [plans("gather_info", "gather_info"), LOOK_UP, again, says("In Oslo.")], SENT
        )
        await play(ctx, KEEP, asking())
        assert [data["id"] for data in ctx.data("tool_call")] == ["toolu_0001", "toolu_0002"]


class TestPlan:
    @pytest.mark.parametrize(
        ("first", "words"),
        [
            (says("I would look it up."), "Invalid JSON"),
            (plans(), "at least 1 item"),
            (plans("ponder"), "steps.0.type"),
            (says('{"steps": [', "max_tokens"), "cut off: write a shorter one"),
        ],
    )
    async def test_an_invalid_plan_is_asked_for_once_more(
        self, first: ModelReply, words: str
    ) -> None:
        ctx = ScriptedCtx([first, plans("respond"), says("Hello.")])
        result = await play(ctx, KEEP, asking("Hello!"))
        assert result.outcome == "resolved"
        assert words in instruction(ctx.requests[1])
        assert words in ctx.data("plan")[0]["invalid"]
        assert "steps" in ctx.data("plan")[1]

    async def test_then_the_turn_goes_on_with_a_default_plan(self) -> None:
        ctx = ScriptedCtx([says("No."), says("Never."), LOOK_UP, says("It was sent.")], SENT)
        result = await play(ctx, KEEP, asking("Where is ORD-1?"))
        assert result.outcome == "resolved"
        assert "needed to answer: Where is ORD-1?" in instruction(ctx.requests[2])
        assert [tool["name"] for tool in ctx.requests[2]["tools"]] == [
            "call_a_person",
            "get_order",
            "get_shipping",
            "list_orders",
        ]

    @pytest.mark.parametrize("kind", ["rejected", "malformed"])
    async def test_a_planner_that_cannot_plan_only_costs_the_plan(self, kind: str) -> None:
        script = [fails(kind)] * (1 if kind == "rejected" else 3)
        ctx = ScriptedCtx([*script, LOOK_UP, says("It was sent.")], SENT)
        result = await play(ctx, KEEP, asking())
        assert result.outcome == "resolved"
        assert ctx.data("plan")[0]["invalid"].startswith(kind)

    async def test_a_plan_is_kept_only_while_its_steps_succeed(self) -> None:
        missing = {"get_order": lambda _: ToolResult("not_found", attempts=1)}
        script = [
            plans("gather_info", "respond"),
            LOOK_UP,
            plans("respond"),
            says("No such order."),
        ]
        ctx = ScriptedCtx(script, missing)
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.model_calls) == ("resolved", 4)

    async def test_a_plan_that_is_used_up_is_followed_by_another(self) -> None:
        other = calls(("get_shipping", ORDER))
        script = [plans("gather_info", "respond"), LOOK_UP, other, plans("respond"), says("Oslo.")]
        ctx = ScriptedCtx(script, SENT)
        # The model calls a tool in the step in which it should answer: it is not offered there.
        result = await play(ctx, KEEP, asking())
        assert result.model_calls == 5
        assert ctx.data("tool_result")[1]["status"] == "error"

    async def test_a_hard_step_goes_to_the_reasoning_model(self) -> None:
        ctx = ScriptedCtx([plans(step("respond", hard=True)), says("Well.")])
        await play(ctx, KEEP, asking())
        assert ctx.log == ["model:haiku", "model:opus"]
        assert ctx.data("model_call")[1]["route"] == "reason"

    async def test_each_step_has_its_instruction_and_its_tools(self) -> None:
        script = [
            plans(step("gather_info", "Find it."), step("take_action", "Return it."), "respond"),
            LOOK_UP,
            calls(("create_return", ORDER)),
            says("Done."),
        ]
        ctx = ScriptedCtx(script, {**SENT, "create_return": found(effect="applied")})
        result = await play(ctx, KEEP, asking("Please return ORD-1."))
        assert result.outcome == "resolved"
        offered = [{tool["name"] for tool in request["tools"]} for request in ctx.requests[1:]]
        assert offered == [
            {"call_a_person", "get_order", "get_shipping", "list_orders"},
            {"call_a_person", "create_return", "add_note"},
            {"call_a_person"},
        ]
        assert "Return it." in instruction(ctx.requests[2])


class TestLowBudget:
    AGENT = compiled("planner: {replan: onChange}\nlimits: {maxTokens: 10000, warnAt: 0.5}")

    @pytest.mark.parametrize(("used", "dropped"), [(4000, False), (5000, True)])
    async def test_optional_steps_are_dropped_from_the_warning_on(
        self, used: int, dropped: bool
    ) -> None:
        spending = calls(("get_order", ORDER), usage=Usage(input=100, output=used - 220))
        optional = step("gather_info", "Look further.", priority="optional")
        script = [plans("gather_info", optional, "respond"), spending]
        script += [] if dropped else [calls(("get_shipping", ORDER))]
        ctx = ScriptedCtx([*script, says("It was sent.")], SENT)
        result = await play(ctx, self.AGENT, asking())
        assert result.outcome == "resolved"
        assert [name for name, _ in ctx.made] == ["get_order", "get_shipping"][: 2 - dropped]
        assert ("Almost used up" in str(ctx.requests[-1]["messages"][-1])) == dropped

    async def test_a_plan_of_only_optional_steps_leaves_the_answer(self) -> None:
        optional = step("gather_info", priority="optional")
        ctx = ScriptedCtx(
            [plans(optional, step("respond", "Say.", priority="optional")), says("Hello.")]
        )
        agent = compiled("limits: {warnAt: 0.0001}")
        asked = asking(spent=Spent(tokens=100))
        result = await play(ctx, agent, asked)
        assert result.outcome == "resolved"
        assert "Answer the customer with what is known now." in str(ctx.requests[1])


class TestActions:
    async def test_an_open_action_makes_the_turn_incomplete(self) -> None:
        ctx = ScriptedCtx([plans("take_action", "respond"), says("Shall I really return it?")])
        result = await play(ctx, KEEP, asking("Return ORD-1."))
        assert (result.outcome, result.reason) == ("incomplete", "action_open")
        assert result.reply == "Shall I really return it?"

    @pytest.mark.parametrize("priority", ["required", "optional"])
    async def test_an_action_still_in_the_plan_is_open_if_it_is_required(
        self, priority: str
    ) -> None:
        action = step("take_action", priority=priority)
        ctx = ScriptedCtx([plans("gather_info", action, "respond"), says("Which one?")])
        result = await play(ctx, KEEP, asking("Return it."))
        assert (result.outcome == "incomplete") == (priority == "required")

    async def test_one_of_two_actions_is_not_both(self) -> None:
        script = [
            plans("take_action", "take_action", "respond"),
            calls(("create_return", ORDER)),
            says("Both are done."),
        ]
        ctx = ScriptedCtx(script, {"create_return": found(effect="applied")})
        result = await play(ctx, KEEP, asking("Return ORD-1 and make a note."))
        assert (result.outcome, result.reason) == ("incomplete", "action_open")

    async def test_an_action_that_failed_and_is_planned_again_was_attempted(self) -> None:
        script = [
            plans("take_action", "respond"),
            calls(("create_return", ORDER)),
            plans("take_action", "respond"),
            says("It cannot be returned any more."),
        ]
        ctx = ScriptedCtx(script, {"create_return": broken("the time is over")})
        result = await play(ctx, KEEP, asking("Return ORD-1."))
        assert (result.outcome, result.reason) == ("resolved", "end_turn")

    async def test_an_action_that_was_turned_down_was_at_least_attempted(self) -> None:
        script = [
            plans("take_action", "respond"),
            calls(("create_return", ORDER)),
            plans("respond"),
            says("It is too late for that."),
        ]
        ctx = ScriptedCtx(script, {"create_return": broken("the time is over")})
        result = await play(ctx, KEEP, asking("Return ORD-1."))
        assert (result.outcome, result.reason) == ("resolved", "end_turn")

    async def test_an_action_that_failed_for_a_passing_reason_stays_open(self) -> None:
        script = [
            plans("take_action", "respond"),
            calls(("create_return", ORDER)),
            plans("respond"),
            says("It did not work."),
        ]
        ctx = ScriptedCtx(script, {"create_return": broken("try later", retryable=True)})
        result = await play(ctx, KEEP, asking("Return ORD-1."))
        assert (result.outcome, result.reason) == ("incomplete", "tool_failed")

    async def test_a_failed_look_up_makes_the_turn_incomplete(self) -> None:
        script = [
            plans("gather_info", "respond"),
            LOOK_UP,
            plans("respond"),
            says("I could not find out."),
        ]
        ctx = ScriptedCtx(script, {"get_order": broken()})
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.reason) == ("incomplete", "tool_failed")
        assert result.reply == "I could not find out."

    async def test_a_look_up_that_works_the_second_time_is_no_failure(self) -> None:
        results = iter([ToolResult.error("down"), ToolResult("success", "sent", attempts=1)])
        script = [plans("gather_info"), LOOK_UP, plans("gather_info"), LOOK_UP, says("Sent.")]
        ctx = ScriptedCtx(script, {"get_order": lambda _: next(results)})
        assert (await play(ctx, KEEP, asking())).outcome == "resolved"

    async def test_the_same_action_in_another_turn_is_done_once(self) -> None:
        ctx = ScriptedCtx([], {"create_return": found({"id": "RET-1"}, effect="applied")})
        for turn in ("turn_1", "turn_2"):
            again = ScriptedCtx(
                [plans("take_action"), calls(("create_return", ORDER)), says("Opened.")],
                ctx.tools,
                effects=ctx.effects,
                made=ctx.made,
            )
            await play(again, KEEP, asking("Return ORD-1.", turn_id=turn))
            assert again.data("tool_result")[0]["data"] == {"id": "RET-1"}
        assert [name for name, _ in ctx.made] == ["create_return"]


class TestPauseAndSize:
    async def test_a_paused_reply_goes_on_in_the_same_request(self) -> None:
        search: JsonObject = {"type": "server_tool_use", "name": "web_search"}
        one = {**search, "id": "srvtoolu_1", "input": {"query": "a"}}
        two = {**search, "id": "srvtoolu_2", "input": {"query": "b"}}
        ctx = ScriptedCtx(
            [plans("respond"), reply([one], "pause_turn"), reply([two], "pause_turn"), says("Hi.")]
        )
        result = await play(ctx, ALWAYS, asking())
        assert (result.outcome, result.iterations, result.model_calls) == ("resolved", 3, 4)
        first, second, third = (request["messages"] for request in ctx.requests[1:])
        assert second == [*first, {"role": "assistant", "content": [one]}]
        assert third == [*first, {"role": "assistant", "content": [one, two]}]

    async def test_a_cut_off_answer_is_asked_for_with_twice_the_room(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says("It was s", "max_tokens"), says("It was sent.")])
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.reply) == ("resolved", "It was sent.")
        assert [request["max_tokens"] for request in ctx.requests] == [1000, 1000, 2000]

    async def test_a_call_that_may_be_half_written_is_not_carried_out(self) -> None:
        cut = reply(
            [{"type": "tool_use", "id": "t", "name": "create_return", "input": ORDER}], "max_tokens"
        )
        ctx = ScriptedCtx([plans("take_action"), cut, calls(("create_return", ORDER)), says("Ok.")])
        ctx.tools = {"create_return": found()}
        await play(ctx, KEEP, asking())
        assert len(ctx.made) == 1

    @pytest.mark.parametrize(
        ("second", "text"),
        [(says("It was se", "max_tokens"), "It was se"), (fails("rejected"), "It was s")],
    )
    async def test_an_answer_that_cannot_be_had_whole_is_incomplete(
        self, second: ModelReply | ModelFailure, text: str
    ) -> None:
        ctx = ScriptedCtx([plans("respond"), says("It was s", "max_tokens"), second])
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.reason, result.reply) == ("incomplete", "max_tokens", text)

    async def test_a_reply_that_is_cut_off_before_any_text_is_none(self) -> None:
        cut = says("", "max_tokens")
        result = await play(ScriptedCtx([plans("respond"), cut, cut]), KEEP, asking())
        assert (result.outcome, result.reason) == ("failed", "model_unusable")

    async def test_an_empty_reply_is_asked_for_again_with_a_word_about_it(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says(""), says("Hello.")])
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.iterations) == ("resolved", 2)
        assert "Your last reply was empty" in str(ctx.requests[2])

    async def test_thinking_before_the_answer_is_passed_over(self) -> None:
        thinking: JsonObject = {"type": "thinking", "thinking": "", "signature": "s"}
        plan = plans("respond")
        ctx = ScriptedCtx(
            [
                reply([thinking, *plan.content]),
                reply([thinking, {"type": "text", "text": "Hello."}]),
            ]
        )
        assert (await play(ctx, KEEP, asking())).reply == "Hello."
        assert "thinking" not in str(ctx.requests)


class TestTools:
    async def test_a_made_up_tool_is_answered_and_counted(self) -> None:
        ctx = ScriptedCtx(
            [plans("gather_info"), calls(("fly to the moon!", {})), plans("respond"), says("No.")]
        )
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, result.tool_calls) == ("resolved", 1)
        assert ctx.made == []
        assert ctx.data("tool_result")[0]["message"].startswith("'fly to the moon!' cannot be")

    async def test_the_model_reads_what_was_wrong_with_its_input(self) -> None:
        ctx = ScriptedCtx(
            [
                plans("gather_info"),
                calls(("get_order", {})),
                plans("gather_info"),
                LOOK_UP,
                says("!"),
            ],
            SENT,
        )
        result = await play(ctx, KEEP, asking())
        assert result.outcome == "resolved"
        for request in ctx.requests[2:4]:
            assert "is a required property" in str(request["messages"])

    async def test_transcript_and_claims_reach_the_prompts(self) -> None:
        agent = compiled(agent=AGENT.replace("You answer", "Hello {{ session.name }}, you answer"))
        ctx = ScriptedCtx([plans("respond"), says("Hi.")])
        request = asking(
            "And now?",
            transcript=[Message("customer", "First."), Message("agent", "Yes?")],
            session={"customerId": "CUST-1", "name": "Ada"},
        )
        await play(ctx, agent, request)
        for body in ctx.requests:
            assert [message["role"] for message in body["messages"]] == [
                "user",
                "assistant",
                "user",
            ]
        assert "Hello Ada" in ctx.requests[1]["system"][0]["text"]


async def test_a_turn_that_is_cancelled_says_so_and_charges_what_was_under_way() -> None:
    ctx = ScriptedCtx([plans("respond"), Hang()])
    turn = asyncio.create_task(run_turn(ctx, KEEP, asking()))
    await ctx.hanging.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert [entry.estimated for entry in ctx.ledger] == [False, True]


async def test_two_turns_may_run_side_by_side() -> None:
    contexts = [
        ScriptedCtx([plans("gather_info"), LOOK_UP, says(f"Answer {number}.")], SENT)
        for number in range(5)
    ]
    results = await asyncio.gather(*(play(ctx, KEEP, asking()) for ctx in contexts))
    assert [result.reply for result in results] == [f"Answer {number}." for number in range(5)]
