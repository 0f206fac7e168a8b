"""What operators switch off is off from the next step on, whatever the turn is about to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interlock.model.base import JsonObject
from interlock.turn.loop import run_turn
from interlock.turn.ports import ModelReply
from tests.unit.turn.scripted import (
    Saying,
    ScriptedCtx,
    asking,
    calls,
    compiled,
    found,
    guards_of,
    plans,
    play,
    says,
)

AGENT = compiled()
OFF: JsonObject = {"since": "2026-11-22T08:59:00+00:00", "who": "ops", "why": "it loops"}
ORDER = {"order_id": "ORD-1"}
TOOLS = {name: found({"from": name}) for name in compiled().tools}
KEEP = compiled("planner: {replan: onChange}")
FAST = compiled(
    "fastPaths: [{name: status, match: {patterns: ['^status$']}, "
    "call: {tool: get_order, input: {order_id: ORD-1}}}]"
)


def offered(request: JsonObject) -> list[str]:
    """The tools that a request lets the model call."""
    if request.get("tool_choice") == {"type": "none"}:
        return []
    return [tool["name"] for tool in request.get("tools", [])]


class World:
    """A turn's world, in which operators act while a model thinks."""

    def __init__(self, *script: ModelReply | Callable[[ScriptedCtx], ModelReply]) -> None:
        self.ctx = ScriptedCtx(
            [item if isinstance(item, ModelReply) else self._then(item) for item in script], TOOLS
        )

    def _then(
        self, item: Callable[[ScriptedCtx], ModelReply]
    ) -> Callable[[JsonObject], ModelReply]:
        return lambda body: item(self.ctx)


def agent_off(reply: ModelReply) -> Callable[[ScriptedCtx], ModelReply]:
    """The agent is switched off while the model makes this reply."""

    def make(ctx: ScriptedCtx) -> ModelReply:
        ctx.agent_off = OFF
        return reply

    return make


def tool_off(name: str, reply: ModelReply) -> Callable[[ScriptedCtx], ModelReply]:
    """A tool is switched off while the model makes this reply."""

    def make(ctx: ScriptedCtx) -> ModelReply:
        ctx.tools_off[name] = OFF
        return reply

    return make


class TestAgent:
    async def test_one_that_is_off_answers_nothing_and_costs_nothing(self) -> None:
        ctx = ScriptedCtx([], TOOLS, agent_off=OFF)
        result = await play(ctx, AGENT, asking())
        assert (result.outcome, result.reason) == ("refused", "agent_disabled")
        assert result.reply == AGENT.spec.replies.refused
        assert ctx.log == []
        assert [event.type for event in ctx.events] == ["breaker", "response"]
        assert ctx.data("breaker") == [
            {
                "breaker": "agent_disabled",
                "limit": "switches.agents.support",
                "detail": "it loops (by ops)",
                **OFF,
            }
        ]

    async def test_not_even_a_guardrail_is_asked(self) -> None:
        guarded = compiled(guards=guards_of(input=(Saying("order"),)))
        ctx = ScriptedCtx([], TOOLS, agent_off=OFF)
        assert (await play(ctx, guarded, asking("my order"))).reason == "agent_disabled"
        assert ctx.data("guardrail") == []

    async def test_no_fast_path_is_taken(self) -> None:
        ctx = ScriptedCtx([], TOOLS, agent_off=OFF)
        assert (await play(ctx, FAST, asking("status"))).reason == "agent_disabled"
        assert ctx.made == []

    async def test_a_plan_in_the_making_is_not_carried_out(self) -> None:
        world = World(agent_off(plans("gather_info", "respond")))
        result = await play(world.ctx, KEEP, asking())
        assert (result.outcome, result.reason) == ("refused", "agent_disabled")
        assert world.ctx.log == ["model:haiku"]

    async def test_a_call_in_the_making_is_not_carried_out(self) -> None:
        ask = calls(("create_return", ORDER), ("get_order", ORDER))
        world = World(plans("take_action", "respond"), agent_off(ask))
        result = await play(world.ctx, KEEP, asking())
        assert (result.outcome, result.reason) == ("refused", "agent_disabled")
        assert (world.ctx.made, world.ctx.keys) == ([], [])
        assert result.model_calls == 2

    async def test_an_answer_in_the_making_is_held_back(self) -> None:
        world = World(plans("respond"), agent_off(says("You get 1000 dollars.")))
        result = await play(world.ctx, KEEP, asking())
        assert (result.outcome, result.reason) == ("refused", "agent_disabled")
        assert result.reply == KEEP.spec.replies.refused

    async def test_the_last_answer_from_the_reserve_is_held_back_too(self) -> None:
        tight = compiled("limits: {maxIterations: 1}\nplanner: {replan: onChange}")
        look_up = calls(("get_order", ORDER))
        world = World(plans("gather_info"), look_up, agent_off(says("Partly.")))
        result = await play(world.ctx, tight, asking())
        assert (result.outcome, result.reason) == ("refused", "agent_disabled")

    async def test_a_person_is_called_all_the_same(self) -> None:
        handing = calls(("call_a_person", {"reason": "angry"}))

        def switch_off(ctx: ScriptedCtx) -> ModelReply:
            return handing

        world = World(plans("escalate"), switch_off)
        inner = world.ctx.emit

        def emit_then_off(event):
            inner(event)
            if event.type == "escalation":
                world.ctx.agent_off = OFF

        world.ctx.emit = emit_then_off
        result = await run_turn(world.ctx, KEEP, asking())
        assert (result.outcome, result.reason) == ("escalated", "model_asked")

    async def test_it_is_traced_once(self) -> None:
        world = World(plans("take_action", "respond"), agent_off(calls(("create_return", ORDER))))
        await play(world.ctx, KEEP, asking())
        assert len(world.ctx.data("breaker")) == 1


class TestTool:
    async def test_one_that_is_off_is_not_offered(self) -> None:
        ctx = ScriptedCtx(
            [plans("gather_info", "respond"), calls(("list_orders", {})), says("Here.")],
            TOOLS,
            tools_off={"get_order": OFF},
        )
        result = await play(ctx, KEEP, asking())
        assert result.outcome == "resolved"
        assert offered(ctx.requests[1]) == ["call_a_person", "get_shipping", "list_orders"]
        assert (
            '"toolsSwitchedOff":["get_order"]'
            in ctx.requests[0]["messages"][-1]["content"][-1]["text"]
        )
        (breaker,) = ctx.data("breaker")
        assert (breaker["breaker"], breaker["limit"]) == (
            "tool_disabled",
            "switches.tools.get_order",
        )
        assert (breaker["who"], breaker["why"]) == ("ops", "it loops")

    async def test_nothing_is_said_of_switches_while_there_are_none(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says("Hello.")], TOOLS)
        await play(ctx, KEEP, asking())
        assert "SwitchedOff" not in str(ctx.requests)

    async def test_others_take_the_room_that_it_leaves(self) -> None:
        narrow = compiled("toolSelection: {max: 2}\nplanner: {replan: onChange}")
        step = {"type": "gather_info", "instruction": "Look up the order.", "tools": ["get_order"]}
        for off, wanted in (({}, "get_order"), ({"get_order": OFF}, "list_orders")):
            ctx = ScriptedCtx(
                [plans({**step, "priority": "required", "hard": False}), says("Done.")],
                TOOLS,
                tools_off=off,
            )
            await play(ctx, narrow, asking())
            assert offered(ctx.requests[1]) == ["call_a_person", wanted]

    async def test_a_tool_that_is_switched_off_on_the_way_is_not_offered_in_the_next_step(
        self,
    ) -> None:
        look_up = calls(("get_shipping", ORDER))
        world = World(
            plans("gather_info", "gather_info", "respond"),
            look_up,
            tool_off("get_shipping", calls(("get_order", ORDER))),
            says("Done."),
        )
        always = compiled()
        world.ctx.script = [
            plans("gather_info"),
            look_up,
            world._then(tool_off("get_shipping", plans("gather_info"))),
            calls(("get_order", ORDER)),
            plans("respond"),
            says("Done."),
        ]
        result = await play(world.ctx, always, asking())
        assert result.outcome == "resolved"
        assert "get_shipping" in offered(world.ctx.requests[1])
        assert "get_shipping" not in offered(world.ctx.requests[3])

    async def test_a_call_in_the_making_is_refused_with_an_error(self) -> None:
        world = World(
            plans("gather_info", "respond"),
            tool_off("get_order", calls(("get_order", ORDER), ("get_shipping", ORDER))),
            plans("respond"),
            says("I could not look it up."),
        )
        result = await play(world.ctx, KEEP, asking())
        assert world.ctx.made == [("get_shipping", ORDER)]
        refused, done = world.ctx.data("tool_result")
        assert (refused["status"], refused["retryable"], refused["attempts"]) == ("error", False, 0)
        assert refused["message"] == (
            "'get_order' is switched off for now: nothing was done; do not retry"
        )
        assert done["status"] == "success"
        # The look-up is missing from the answer.
        assert (result.outcome, result.reason) == ("incomplete", "tool_failed")

    async def test_the_reason_stays_with_the_operators(self) -> None:
        world = World(
            plans("gather_info", "respond"),
            tool_off("get_order", calls(("get_order", ORDER))),
            plans("respond"),
            says("I could not look it up."),
        )
        await play(world.ctx, KEEP, asking())
        assert "it loops" not in str(world.ctx.requests)

    async def test_a_switch_between_two_mutations_stops_the_second(self) -> None:
        ctx = ScriptedCtx(
            [
                plans("take_action", "respond"),
                calls(("create_return", ORDER), ("add_note", {"note": "x"})),
                plans("respond"),
                says("The return is open."),
            ],
            TOOLS,
        )

        def open_return(arguments: JsonObject):
            ctx.tools_off["add_note"] = OFF
            return found({"id": 1})(arguments)

        ctx.tools = {**TOOLS, "create_return": open_return}
        await play(ctx, KEEP, asking())
        assert [name for name, _ in ctx.made] == ["create_return"]
        assert [data["status"] for data in ctx.data("tool_result")] == ["success", "error"]

    async def test_its_fast_path_is_not_taken(self) -> None:
        ctx = ScriptedCtx(
            [plans("respond"), says("I cannot look.")], TOOLS, tools_off={"get_order": OFF}
        )
        result = await play(ctx, FAST, asking("status"))
        assert (result.reason, ctx.made) == ("end_turn", [])

    @pytest.mark.parametrize("name", ["a_tool_of_others", "get_order"])
    async def test_it_is_traced_once_and_only_if_the_agent_has_it(self, name: str) -> None:
        ctx = ScriptedCtx(
            [plans("gather_info", "respond"), calls(("list_orders", {})), says("Here.")],
            TOOLS,
            tools_off={name: OFF},
        )
        await play(ctx, KEEP, asking())
        assert len(ctx.data("breaker")) == (name == "get_order")

    async def test_a_lifted_switch_counts_from_the_next_step_on_as_well(self) -> None:
        ctx = ScriptedCtx([], TOOLS, tools_off={"get_order": OFF})

        def lift(body: JsonObject) -> ModelReply:
            ctx.tools_off.clear()
            return plans("gather_info", "respond")

        ctx.script = [lift, calls(("get_order", ORDER)), says("Sent.")]
        result = await play(ctx, KEEP, asking())
        assert (result.outcome, ctx.made[0][0]) == ("resolved", "get_order")
