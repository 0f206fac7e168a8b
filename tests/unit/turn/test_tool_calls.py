from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.turn.agent import CompiledAgent
from interlock.turn.guard import Deny, GuardrailInput, Judge
from interlock.turn.run import Run, start_run
from interlock.turn.state import ToolCall
from interlock.turn.tool_calls import bind_input, check_input, run_tool_calls
from tests.unit.turn.scripted import (
    Saying,
    ScriptedCtx,
    ToolFunction,
    asking,
    broken,
    compiled,
    found,
    guards_of,
)

AGENT = compiled()
ALL = tuple(AGENT.tools)
ORDER = {"order_id": "ORD-1"}

Made = tuple[str, JsonObject]


async def carry_out(
    *made: Made,
    tools: dict[str, ToolFunction] | None = None,
    offered: Sequence[str] = ALL,
    agent: CompiledAgent = AGENT,
    run: Run | None = None,
    **request: Any,
) -> tuple[Run, ScriptedCtx]:
    """Carries the calls out in one iteration, of `run` or of a new turn."""
    if run is None:
        ctx = ScriptedCtx([], {name: found({"from": name}) for name in agent.tools} | (tools or {}))
        run = start_run(ctx, agent, asking(**request))
        run.state.iteration = 1
    assert isinstance(run.ctx, ScriptedCtx)
    calls = [ToolCall(f"toolu_{place}", *call) for place, call in enumerate(made, 1)]
    if calls:
        await run_tool_calls(run, calls, text="", offered=offered)
    return run, run.ctx


def results(run: Run) -> list[ToolResult]:
    return list(run.state.exchanges[-1].results)


class TestBind:
    async def test_the_runtime_adds_what_is_bound(self) -> None:
        _, ctx = await carry_out(("get_order", ORDER))
        assert ctx.made == [("get_order", {"order_id": "ORD-1", "customer_id": "CUST-1"})]

    async def test_the_model_cannot_set_what_is_bound(self) -> None:
        run, ctx = await carry_out(("get_order", {**ORDER, "customer_id": "CUST-2"}))
        assert ctx.made == []
        (result,) = results(run)
        assert result.status == "error"
        assert "customer_id" in (result.message or "")

    def test_the_bound_value_wins_where_a_schema_takes_anything(self) -> None:
        arguments = {"order_id": "ORD-1", "customer_id": "CUST-2"}
        bound = bind_input(AGENT.tools["get_order"], arguments, {"customerId": "CUST-1"})
        assert bound == {"order_id": "ORD-1", "customer_id": "CUST-1"}
        assert arguments["customer_id"] == "CUST-2"

    def test_a_bound_value_keeps_its_type(self) -> None:
        bound = bind_input(AGENT.tools["get_order"], {}, {"customerId": 7})
        assert bound == {"customer_id": 7}

    @pytest.mark.parametrize("session", [{}, {"customer_id": "CUST-1"}])
    async def test_without_the_claim_the_tool_cannot_be_used(self, session: JsonObject) -> None:
        run, ctx = await carry_out(("get_order", ORDER), session=session)
        assert ctx.made == []
        (result,) = results(run)
        assert result.status == "error"
        assert "cannot be used in this conversation" in (result.message or "")

    async def test_neither_the_trace_nor_the_model_sees_a_bound_value(self) -> None:
        run, ctx = await carry_out(("get_order", ORDER))
        assert ctx.data("tool_call")[0]["input"] == ORDER
        assert run.state.exchanges[-1].calls[0].input == ORDER


class TestRefused:
    @pytest.mark.parametrize("name", ["fly_to_the_moon", "create_return", ""])
    async def test_what_is_not_offered_is_answered_and_never_carried_out(self, name: str) -> None:
        run, ctx = await carry_out((name, ORDER), offered=["get_order"])
        assert (ctx.made, ctx.keys) == ([], [])
        assert results(run)[0].message == (
            f"'{name}' cannot be called in this step; offered: get_order"
        )
        assert run.state.tool_calls == 1

    async def test_nothing_is_offered_at_all(self) -> None:
        run, _ = await carry_out(("get_order", ORDER), offered=[])
        assert "offered: none" in (results(run)[0].message or "")

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({}, "'order_id' is a required property"),
            ({"order_id": "1001"}, "order_id: '1001' does not match"),
            ({"order_id": 1001}, "order_id: 1001 is not of type 'string'"),
            ({"order_id": "ORD-1", "colour": "red"}, "'colour' was unexpected"),
            ({"order_id": 1, "a": 1, "b": 2}, "; "),
            ({"input": None}, "was unexpected"),
        ],
    )
    async def test_an_invalid_input_is_explained(self, arguments: JsonObject, words: str) -> None:
        run, ctx = await carry_out(("get_order", arguments))
        assert ctx.made == []
        (result,) = results(run)
        assert (result.status, result.retryable, result.attempts) == ("error", False, 0)
        assert (result.message or "").startswith("the input is not valid: ")
        assert words in (result.message or "")

    def test_a_huge_input_is_not_even_looked_at(self) -> None:
        tool = AGENT.tools["add_note"]
        assert check_input(tool, {"note": "x" * 1000}) is None
        assert check_input(tool, {"note": "x" * 100_001}) == "the input is larger than 100000 bytes"

    def test_no_more_than_five_problems_are_told(self) -> None:
        problem = check_input(AGENT.tools["list_orders"], {f"key{n}": n for n in range(9)})
        assert problem is not None
        tool = compiled(tools=TYPED, agent=TYPED_AGENT).tools["get_numbers"]
        many = check_input(tool, {f"n{number}": "no" for number in range(9)})
        assert many is not None
        assert many.count("is not of type") == 5


TYPED_AGENT = """
name: support
description: Counts.
models: {plan: haiku, execute: sonnet}
tools: [get_numbers]
prompts: {system: You count.}
"""
TYPED = f"""
name: get_numbers
category: lookup
description: Takes numbers.
whenToUse: There are numbers.
input: {{type: object, properties: {{{", ".join(f"n{n}: {{type: integer}}" for n in range(9))}}}}}
python: {{function: 'plugins/numbers.py:get'}}
"""


class TestOrder:
    async def test_reads_run_in_one_step_and_mutations_after_them_one_by_one(self) -> None:
        run, ctx = await carry_out(
            ("add_note", {"note": "first"}),
            ("get_order", ORDER),
            ("create_return", ORDER),
            ("list_orders", {}),
        )
        assert ctx.log == [
            "tools:get_order,list_orders",
            "mutate:add_note",
            "mutate:create_return",
        ]
        assert [result.data for result in results(run)] == [
            {"from": "add_note"},
            {"from": "get_order"},
            {"from": "create_return"},
            {"from": "list_orders"},
        ]

    async def test_every_call_has_its_own_result_whatever_became_of_it(self) -> None:
        run, ctx = await carry_out(
            ("no_such_tool", {}),
            ("add_note", {"note": "n"}),
            ("get_order", {}),
            ("get_shipping", ORDER),
            ("call_a_person", {"reason": "anger"}),
            tools={"get_shipping": broken()},
        )
        assert [result.status for result in results(run)] == [
            "error",
            "success",
            "error",
            "error",
            "success",
        ]
        ids = [data["id"] for data in ctx.data("tool_result")]
        assert ids == [data["id"] for data in ctx.data("tool_call")]
        assert [data["tool"] for data in ctx.data("tool_result")] == [
            call.name for call in run.state.exchanges[-1].calls
        ]

    async def test_a_call_for_a_person_is_not_sent_anywhere(self) -> None:
        run, ctx = await carry_out(("call_a_person", {"reason": "anger"}))
        assert (ctx.made, ctx.log) == ([], [])
        assert run.state.handover == {"reason": "anger"}

    async def test_the_time_of_a_call_is_that_of_the_tool_or_what_is_left(self) -> None:
        agent = compiled("limits: {turnTimeout: 10s, toolTimeout: 6s}")
        run, ctx = await carry_out(("get_order", ORDER), agent=agent)
        ctx.advance(5)
        await carry_out(("get_order", ORDER), run=run)
        ctx.advance(5)
        await carry_out(("get_order", ORDER), run=run)
        seen = [call["timeoutSeconds"] for _, args in ctx.steps for call in args["calls"]]
        # Two of the ten seconds are kept back for the last answer.
        assert seen == [6.0, 3.0, 0.001]

    @pytest.mark.parametrize(("left", "made"), [(1.0, True), (0.9, False), (-3.0, False)])
    async def test_a_mutation_is_not_begun_without_the_time_to_end_it(
        self, left: float, made: bool
    ) -> None:
        run, ctx = await carry_out()
        ctx.advance(run.seconds_left() - left)
        await carry_out(("add_note", {"note": "n"}), run=run)
        assert bool(ctx.made) == made
        assert (results(run)[0].status == "success") == made
        assert results(run)[0].effect == "none"
        assert run.state.mutation_attempted == made


class TestActionKey:
    async def key(self, name: str, arguments: JsonObject, **request: Any) -> str:
        _, ctx = await carry_out((name, arguments), **request)
        (key,) = ctx.keys
        return key

    async def test_the_same_action_has_the_same_key_in_every_turn(self) -> None:
        keys = {
            await self.key("create_return", ORDER),
            await self.key("create_return", ORDER, turn_id="turn_2"),
            await self.key("create_return", {**ORDER, "reason": "too small"}),
        }
        assert len(keys) == 1

    async def test_another_action_has_another_key(self) -> None:
        one = await self.key("create_return", ORDER)
        other = await self.key("create_return", {"order_id": "ORD-2"})
        assert one != other

    async def test_without_key_fields_every_input_counts_bound_ones_too(self) -> None:
        agent = compiled(tools=KEYLESS, agent=KEYLESS_AGENT)
        arguments = [{"sku": "A"}, {"sku": "B"}, {"sku": "A"}]
        keys = [await self.key("buy", asked, agent=agent, offered=["buy"]) for asked in arguments]
        assert keys[0] == keys[2] != keys[1]
        other = await self.key(
            "buy", {"sku": "A"}, agent=agent, offered=["buy"], session={"customerId": "CUST-2"}
        )
        assert other not in keys

    async def test_undeclared_actions_are_all_different(self) -> None:
        note = ("add_note", {"note": "n"})
        run, ctx = await carry_out(note, note)
        run.state.iteration += 1
        await carry_out(note, run=run)
        _, other = await carry_out(note, turn_id="turn_2")
        keys = ctx.keys + other.keys
        assert len(set(keys)) == 4
        assert len(ctx.made) == 3

    async def test_asking_twice_gives_the_first_result_back(self) -> None:
        run, ctx = await carry_out(("create_return", ORDER), ("create_return", ORDER))
        assert [name for name, _ in ctx.made] == ["create_return"]
        assert [result.status for result in results(run)] == ["success", "success"]


KEYLESS_AGENT = TYPED_AGENT.replace("get_numbers", "buy")
KEYLESS = """
name: buy
category: mutation
description: Buys.
whenToUse: Something is wanted.
input: {type: object, properties: {sku: {type: string}}}
bind: {customer_id: '{{ session.customerId }}'}
python: {function: 'plugins/shop.py:buy'}
idempotency: {}
"""


class TestLearning:
    @pytest.mark.parametrize(
        ("rounds", "open_failures"),
        [
            ([[("get_order", "fails")]], {"get_order"}),
            ([[("get_order", "fails")], [("get_order", "works")]], set()),
            ([[("get_order", "works")], [("get_order", "fails")]], {"get_order"}),
            ([[("get_order", "fails")], [("get_shipping", "works")]], {"get_order"}),
            ([[("get_order", "fails"), ("get_order", "works")]], {"get_order"}),
            ([[("get_order", "works"), ("get_order", "fails")]], {"get_order"}),
            ([[("get_order", "misses")]], set()),
            ([[("create_return", "fails")]], set()),
            ([[("create_return", "stumbles")]], {"create_return"}),
            ([[("call_a_person", "")]], set()),
        ],
    )
    async def test_a_look_up_without_an_answer_stays_open(
        self, rounds: list[list[tuple[str, str]]], open_failures: set[str]
    ) -> None:
        outcomes = {
            "fails": ToolResult("error", message="down", attempts=1),
            "stumbles": ToolResult("error", message="down", retryable=True, attempts=1),
            "works": ToolResult("success", attempts=1),
            "misses": ToolResult("not_found", attempts=1),
        }
        coming: list[str] = []
        tools = dict.fromkeys(ALL, lambda _: outcomes[coming.pop(0)])
        run, _ = await carry_out(tools=tools)
        for number, made in enumerate(rounds):
            coming[:] = [outcome for _, outcome in made]
            asked = [
                (name, {"order_id": f"ORD-{number}{place}"}) for place, (name, _) in enumerate(made)
            ]
            asked = [(n, {} if n == "call_a_person" else a) for n, a in asked]
            await carry_out(*asked, run=run)
        assert run.state.open_failures == open_failures

    async def test_only_iterations_in_which_all_fails_count_as_failed(self) -> None:
        run, _ = await carry_out(tools={"get_shipping": broken()})
        counts = []
        for names in (
            ["get_shipping"],
            ["get_shipping", "no_such_tool"],
            ["get_shipping", "get_order"],
            ["get_shipping"],
        ):
            await carry_out(*((name, ORDER) for name in names), run=run)
            counts.append(run.state.failed_iterations)
        assert counts == [1, 2, 0, 1]

    @pytest.mark.parametrize(
        ("arguments", "result", "attempted"),
        [
            (ORDER, ToolResult("success", attempts=1), True),
            (ORDER, ToolResult("error", message="no", attempts=2), True),
            (ORDER, ToolResult("error", message="breaker open", attempts=0), False),
            ({}, ToolResult("success", attempts=1), False),
        ],
    )
    async def test_a_mutation_is_attempted_when_a_call_was_really_made(
        self, arguments: JsonObject, result: ToolResult, attempted: bool
    ) -> None:
        run, _ = await carry_out(
            ("create_return", arguments), tools={"create_return": lambda _: result}
        )
        assert run.state.mutation_attempted == attempted

    async def test_a_look_up_is_no_mutation(self) -> None:
        run, _ = await carry_out(("get_order", ORDER))
        assert not run.state.mutation_attempted

    async def test_an_unknown_effect_is_remembered_with_its_tool(self) -> None:
        run, _ = await carry_out(
            ("create_return", ORDER),
            ("add_note", {"note": "n"}),
            tools={"create_return": broken("it timed out", effect="unknown")},
        )
        assert run.state.unknown_effect == "create_return"

    async def test_a_loop_is_remembered_even_when_other_calls_follow(self) -> None:
        run, _ = await carry_out(*[("get_order", ORDER)] * 3, ("list_orders", {}))
        assert run.state.loop is not None
        assert (run.state.loop.tool, run.state.loop.count) == ("get_order", 3)

    async def test_a_call_that_was_not_offered_counts_for_loops_too(self) -> None:
        run, _ = await carry_out(*[("create_return", ORDER)] * 3, offered=["get_order"])
        assert run.state.loop is not None


class TestGuards:
    async def test_a_call_with_a_forbidden_input_is_refused(self) -> None:
        agent = compiled(guards=guards_of(tool_call=(Saying("secret"),)))
        run, ctx = await carry_out(
            ("add_note", {"note": "a secret"}), ("add_note", {"note": "fine"}), agent=agent
        )
        assert ctx.made == [("add_note", {"note": "fine"})]
        assert results(run)[0].message == "refused by no_word: it says secret"
        assert ctx.data("guardrail") == [
            {
                "stage": "tool_call",
                "tool": "add_note",
                "guardrail": "no_word",
                "verdict": "deny",
                "message": "it says secret",
            }
        ]

    async def test_a_forbidden_result_is_withheld_from_model_and_trace(self) -> None:
        agent = compiled(guards=guards_of(tool_result=(Saying("password"),)))
        run, ctx = await carry_out(
            ("create_return", ORDER),
            agent=agent,
            tools={"create_return": found({"password": "hunter2"}, effect="applied", cut=("x",))},
        )
        (result,) = results(run)
        assert (result.status, result.data, result.cut) == ("error", None, ())
        assert result.message == "withheld by no_word: it says password"
        assert result.effect == "applied"
        assert "hunter2" not in str(ctx.events)

    async def test_a_guardrail_sees_the_stage_the_tool_and_the_text(self) -> None:
        seen: list[tuple[str, str | None, str]] = []

        class Watching:
            name = "watching"

            async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
                seen.append((data.stage, data.tool, data.text))
                return None

        agent = compiled(guards=guards_of(tool_call=(Watching(),), tool_result=(Watching(),)))
        await carry_out(("get_order", ORDER), agent=agent)
        assert seen == [
            ("tool_call", "get_order", '{"order_id":"ORD-1"}'),
            ("tool_result", "get_order", '{"status":"success","data":{"from":"get_order"}}'),
        ]
