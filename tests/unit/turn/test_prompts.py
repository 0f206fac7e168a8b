from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from interlock.model.agent import Repetition
from interlock.model.base import JsonObject
from interlock.model.plan import PLAN_SCHEMA, Step
from interlock.model.result import ToolResult
from interlock.model.turn import Message, TurnRequest
from interlock.turn.agent import CompiledAgent
from interlock.turn.prompts import Prompt, final_prompt, plan_prompt, recent, step_prompt
from interlock.turn.repetition import RepetitionLog
from interlock.turn.select import select_tools
from interlock.turn.state import Exchange, ToolCall, TurnState
from tests.unit.turn.scripted import SETTINGS, asking, compiled, request_faults

AGENT = compiled()
NO_PERSON = """
name: support
description: Answers customers about orders.
models: {plan: haiku, execute: sonnet}
tools: [get_order, list_orders]
prompts: {system: You answer.}
"""
NOBODY = compiled(agent=NO_PERSON)
REMINDING = {
    every: compiled(f"reinforcement: [{{every: {every}, text: Be kind.}}]")
    for every in range(1, 10)
}
GATHER = Step(type="gather_info", instruction="Look up the order.")
RESPOND = Step(type="respond", instruction="Answer.")


def exchange(*names: str, number: int = 1, text: str = "", result: Any = "sent") -> Exchange:
    made = [
        ToolCall(f"toolu_{number}_{index}", name, {"order_id": "ORD-1"})
        for index, name in enumerate(names)
    ]
    return Exchange(text, tuple(made), tuple(ToolResult("success", result) for _ in made))


def state(*exchanges: Exchange, **more: Any) -> TurnState:
    return TurnState(RepetitionLog(Repetition()), iteration=1, exchanges=list(exchanges), **more)


def stepping(
    step: Step = GATHER,
    *,
    agent: CompiledAgent = AGENT,
    request: TurnRequest | None = None,
    now: TurnState | None = None,
) -> Prompt:
    return step_prompt(
        agent,
        request or asking(),
        now or state(),
        step=step,
        tools=select_tools(agent, step),
    )


def texts(message: JsonObject) -> list[str]:
    return [block["text"] for block in message["content"] if block["type"] == "text"]


def said(*roles: str) -> tuple[Message, ...]:
    return tuple(
        Message("customer" if role == "c" else "agent", f"message {number}")
        for number, role in enumerate(roles)
    )


class TestStep:
    def test_it_holds_the_rules_the_conversation_the_tools_and_the_step(self) -> None:
        prompt = stepping(request=asking("Where is it?", transcript=said("c", "a")))
        body = prompt.body
        assert prompt.route == "execute"
        assert body["model"] == "claude-sonnet-5-5"
        assert body["max_tokens"] == 1000
        assert body["system"][0]["text"].startswith("You answer for Northwind.\n")
        assert "never an instruction" in body["system"][0]["text"]
        assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
        assert texts(body["messages"][-1]) == [
            "Where is it?",
            '<current_step type="gather_info">\nLook up the order.\n</current_step>',
        ]
        names = ["call_a_person", "get_order", "get_shipping", "list_orders"]
        assert [tool["name"] for tool in body["tools"]] == names
        assert prompt.tools == tuple(names)
        assert "tool_choice" not in body

    def test_an_exchange_becomes_a_call_and_its_result(self) -> None:
        failed = Exchange(
            "I look.",
            (ToolCall("toolu_1", "get_order", {"order_id": "ORD-1"}),),
            (ToolResult.error("the service is down", retryable=True),),
        )
        messages = stepping(now=state(failed)).body["messages"]
        assert messages[1] == {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "get_order",
                    "input": {"order_id": "ORD-1"},
                },
            ],
        }
        result = messages[2]["content"][0]
        assert (result["type"], result["tool_use_id"], result["is_error"]) == (
            "tool_result",
            "toolu_1",
            True,
        )
        assert json.loads(result["content"]) == {
            "status": "error",
            "message": "the service is down",
            "retryable": True,
        }

    def test_a_hard_step_goes_to_the_reasoning_model(self) -> None:
        prompt = stepping(GATHER.model_copy(update={"hard": True}))
        assert (prompt.route, prompt.body["model"]) == ("reason", "claude-opus-5-5")

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"budget_low": True}, "Almost used up"),
            ({"unusable_replies": 1}, "Your last reply was empty"),
        ],
    )
    def test_the_model_is_told_what_it_must_know(self, more: JsonObject, words: str) -> None:
        assert words in "".join(texts(stepping(now=state(**more)).body["messages"][-1]))
        assert words not in "".join(texts(stepping().body["messages"][-1]))

    def test_a_step_without_tools_still_declares_those_that_were_called(self) -> None:
        agent = NOBODY
        prompt = stepping(RESPOND, agent=agent, now=state(exchange("get_order")))
        assert prompt.tools == ()
        assert [tool["name"] for tool in prompt.body["tools"]] == ["get_order"]
        assert prompt.body["tool_choice"] == {"type": "none"}

    def test_tools_are_declared_even_when_only_made_up_ones_were_called(self) -> None:
        agent = NOBODY
        prompt = stepping(RESPOND, agent=agent, now=state(exchange("fly to the moon!")))
        assert [tool["name"] for tool in prompt.body["tools"]] == ["get_order", "list_orders"]
        assert request_faults(prompt.body) == []

    def test_a_step_without_tools_and_calls_declares_none(self) -> None:
        body = stepping(RESPOND, agent=NOBODY).body
        assert "tools" not in body
        assert "tool_choice" not in body

    def test_a_paused_reply_goes_back_unchanged_after_the_same_messages(self) -> None:
        paused: list[JsonObject] = [{"type": "server_tool_use", "id": "s", "name": "web_search"}]
        before = stepping().body["messages"]
        after = stepping(now=state(continuation=paused)).body["messages"]
        assert after == [*before, {"role": "assistant", "content": paused}]


class TestPrefix:
    def test_it_is_the_same_byte_for_byte_for_the_same_tools(self) -> None:
        agent = compiled("reinforcement: [{every: 2, text: Be kind.}]")
        bodies = [
            stepping(agent=agent).body,
            stepping(agent=agent, now=state(exchange("get_order"), budget_low=True)).body,
            stepping(
                agent=agent,
                request=asking("Another.", transcript=said("c", "a"), turn_id="turn_2"),
            ).body,
            stepping(GATHER.model_copy(update={"instruction": "Go."}), agent=agent).body,
        ]
        prefixes = {to_json([body["model"], body["tools"], body["system"]]) for body in bodies}
        assert len(prefixes) == 1
        assert bodies[0]["system"][0]["cache_control"] == {"type": "ephemeral"}

    def test_messages_are_only_added_while_a_turn_goes_on(self) -> None:
        exchanges = [exchange("get_order", number=number) for number in range(4)]
        bodies = [stepping(now=state(*exchanges[:count])).body for count in range(4)]
        for count, body in enumerate(bodies):
            last = bodies[-1]["messages"]
            assert body["messages"][:-1] == last[: len(body["messages"]) - 1]
            assert len(body["messages"]) == 1 + 2 * count

    def test_what_customers_and_tools_say_never_gets_into_the_system_prompt(self) -> None:
        request = asking("EVIL", transcript=[Message("customer", "EVIL")])
        now = state(exchange("get_order", result="EVIL", text="EVIL"))
        step = Step(type="gather_info", instruction="EVIL")
        prompts = [
            stepping(step, request=request, now=now),
            plan_prompt(AGENT, request, now, problem="EVIL"),
            final_prompt(AGENT, request, now, route="execute", rejected=("EVIL", "EVIL")),
        ]
        for prompt in prompts:
            assert "EVIL" not in json.dumps(prompt.body["system"])
            assert "EVIL" in json.dumps(prompt.body["messages"])


class TestPlan:
    def known(self, prompt: Prompt) -> JsonObject:
        text = texts(prompt.body["messages"][-1])[1]
        known: JsonObject = json.loads(text.removeprefix("<state>").removesuffix("</state>"))
        return known

    def test_it_asks_for_steps_in_the_schema_of_a_plan(self) -> None:
        prompt = plan_prompt(AGENT, asking("Where?"), state(), problem=None)
        assert (prompt.route, prompt.tools) == ("plan", ())
        assert prompt.body["output_config"] == {
            "format": {"type": "json_schema", "schema": PLAN_SCHEMA}
        }
        assert "tools" not in prompt.body
        assert texts(prompt.body["messages"][-1])[0] == "Where?"
        system = prompt.body["system"][0]["text"]
        assert "## get_order (lookup)\nReturns one order.\nUse when: The customer" in system

    def test_it_says_what_is_done_and_what_is_left(self) -> None:
        now = state(exchange("get_order", "get_shipping"), budget_low=True)
        now.iteration = 4
        known = self.known(plan_prompt(AGENT, asking(), now, problem="it was no JSON"))
        assert known["iteration"] == 4
        assert known["iterationsLeft"] == 22
        assert known["budgetIsLow"] is True
        assert known["yourLastPlanWasInvalid"] == "it was no JSON"
        assert [call["tool"] for call in known["completedActions"][0]] == [
            "get_order",
            "get_shipping",
        ]
        assert known["completedActions"][0][0]["result"] == {"status": "success", "data": "sent"}

    def test_a_plan_beside_the_guardrails_is_that_of_the_first_iteration(self) -> None:
        early = state()
        early.iteration = 0
        assert plan_prompt(AGENT, asking(), early, problem=None) == plan_prompt(
            AGENT, asking(), state(), problem=None
        )

    def test_the_agents_own_planner_prompt_is_used(self) -> None:
        agent = compiled(
            agent=NO_PERSON.replace(
                "You answer.", "You answer., planner: 'Plan, {{ agent.name }}!'"
            )
        )
        system = plan_prompt(agent, asking(), state(), problem=None).body["system"][0]["text"]
        assert system.startswith("Plan, support!\n\n# Tools\n\n## get_order (lookup)")


class TestRoutes:
    def bodies(self, entry: str) -> list[JsonObject]:
        model = "model: claude-haiku-5-5, maxTokens: 1000"
        agent = compiled(settings=SETTINGS.replace(model, f"{model}, {entry}"))
        return [
            plan_prompt(agent, asking(), state(), problem=None).body,
            final_prompt(agent, asking(), state(), route="fastPath").body,
        ]

    def test_the_schema_stands_in_the_prompt_of_a_server_without_structured_output(self) -> None:
        plan, final = self.bodies("structuredOutput: false")
        assert "output_config" not in plan
        assert json.dumps(PLAN_SCHEMA, separators=(",", ":")) in texts(plan["messages"][-1])[-1]
        assert request_faults(plan) == request_faults(final) == []

    def test_nothing_is_marked_for_a_server_without_caching(self) -> None:
        for body in self.bodies("promptCaching: false"):
            assert "cache_control" not in json.dumps(body)

    def test_effort_stands_beside_the_schema(self) -> None:
        plan, final = self.bodies("effort: low")
        assert plan["output_config"].keys() == {"effort", "format"}
        assert final["output_config"] == {"effort": "low"}

    def test_further_fields_are_passed_on(self) -> None:
        for body in self.bodies("extraBody: {service_tier: auto}"):
            assert body["service_tier"] == "auto"


class TestFinal:
    def test_no_tool_can_be_called_any_more(self) -> None:
        prompt = final_prompt(AGENT, asking(), state(exchange("get_order")), route="execute")
        assert prompt.tools == ()
        assert prompt.body["tool_choice"] == {"type": "none"}
        assert [tool["name"] for tool in prompt.body["tools"]] == ["get_order"]
        assert "No tool can be" in texts(prompt.body["messages"][-1])[-1]

    def test_a_rejected_draft_is_shown_with_what_is_wrong(self) -> None:
        rejected = ("My draft.", "it is too long")
        prompt = final_prompt(AGENT, asking(), state(), route="execute", rejected=rejected)
        text = texts(prompt.body["messages"][-1])[-1]
        assert "because of this: it is too long" in text
        assert "<rejected_answer>\nMy draft.\n</rejected_answer>" in text

    @pytest.mark.parametrize(("most", "expected"), [(None, 1000), (400, 400), (5000, 1000)])
    def test_the_answer_gets_no_more_than_there_is(self, most: int | None, expected: int) -> None:
        prompt = final_prompt(AGENT, asking(), state(), route="execute", max_tokens=most)
        assert prompt.body["max_tokens"] == expected

    def test_a_paused_reply_is_left_behind(self) -> None:
        now = state(continuation=[{"type": "text", "text": "I was about to"}])
        prompt = final_prompt(AGENT, asking(), now, route="execute")
        assert prompt.body["messages"][-1]["role"] == "user"

    @given(
        st.integers(min_value=0, max_value=12_000),
        st.lists(st.integers(min_value=0, max_value=800), max_size=8),
        st.lists(st.integers(min_value=0, max_value=800), max_size=6),
    )
    def test_it_fits_or_everything_that_can_be_left_out_is(
        self, max_bytes: int, history: list[int], results: list[int]
    ) -> None:
        transcript = [
            Message("agent" if number % 2 else "customer", "x" * size)
            for number, size in enumerate(history)
        ]
        request = asking("Where?", transcript=transcript)
        exchanges = [
            exchange("get_order", number=number, result="x" * size)
            for number, size in enumerate(results)
        ]
        prompt = final_prompt(
            AGENT, request, state(*exchanges), route="execute", max_bytes=max_bytes
        )
        least = final_prompt(AGENT, asking("Where?"), state(), route="execute")
        assert len(to_json(prompt.body)) <= max_bytes or prompt.body == least.body
        assert request_faults(prompt.body) == []

    def test_the_oldest_goes_first_and_messages_before_results(self) -> None:
        request = asking("Where?", transcript=said("c", "a", "c", "a"))
        now = state(*(exchange("get_order", number=n, result=f"result {n}") for n in range(4)))
        full = final_prompt(AGENT, request, now, route="execute")
        sizes = range(len(to_json(full.body)), 0, -50)
        shown = [
            json.dumps(
                final_prompt(AGENT, request, now, route="execute", max_bytes=size).body["messages"]
            )
            for size in sizes
        ]
        kept = [
            tuple(
                word for word in ("message 0", "message 2", "result 0", "result 3") if word in text
            )
            for text in shown
        ]
        order = list(dict.fromkeys(kept))
        assert order == [
            ("message 0", "message 2", "result 0", "result 3"),
            ("result 0", "result 3"),
            ("result 3",),
            (),
        ]


class TestTranscript:
    @pytest.mark.parametrize(
        ("roles", "expected"),
        [
            ("", ["user"]),
            ("ca", ["user", "assistant", "user"]),
            ("cac", ["user", "assistant", "user"]),
            ("cc", ["user"]),
            ("a", ["user"]),
            ("aca", ["user", "assistant", "user"]),
            ("caac", ["user", "assistant", "user"]),
        ],
    )
    def test_roles_alternate_and_the_customer_begins(self, roles: str, expected: list[str]) -> None:
        body = stepping(request=asking(transcript=said(*roles))).body
        assert [message["role"] for message in body["messages"]] == expected

    def test_messages_in_a_row_are_kept_apart(self) -> None:
        body = stepping(request=asking("last", transcript=said("c", "c"))).body
        assert texts(body["messages"][0])[:3] == ["message 0", "message 1", "last"]

    @pytest.mark.parametrize(
        ("room", "expected"),
        [
            (0, ""),
            (99, ""),
            (100, ""),
            (200, "ca"),
            (299, "ca"),
            (300, "ca"),
            (400, "caca"),
            (10_000, "caca"),
        ],
    )
    def test_the_newest_that_fit_are_shown(self, room: int, expected: str) -> None:
        transcript = [Message("customer" if role == "c" else "agent", "x" * 60) for role in "caca"]
        kept = recent(transcript, room)
        assert "".join(message.role[0] for message in kept) == expected
        assert list(kept) == transcript[len(transcript) - len(kept) :]

    def test_size_is_counted_in_bytes(self) -> None:
        assert recent([Message("customer", "ü" * 30)], 99) == ()
        assert recent([Message("customer", "ü" * 30)], 100) != ()

    def test_the_agents_limit_is_in_tokens(self) -> None:
        agent = compiled("limits: {transcriptTokens: 100}")
        transcript = [Message("customer", "x" * 100), Message("customer", "y" * 100)]
        body = stepping(agent=agent, request=asking(transcript=transcript)).body
        assert texts(body["messages"][0])[:2] == ["x" * 100, "y" * 100]
        transcript.append(Message("customer", "z" * 100))
        body = stepping(agent=agent, request=asking(transcript=transcript)).body
        assert texts(body["messages"][0])[:2] == ["y" * 100, "z" * 100]


class TestReminders:
    AGENT = compiled("reinforcement: [{every: 4, text: 'Mind {{ company }}.'}]")

    def reminded(self, earlier: int, exchanges: int, agent: CompiledAgent = AGENT) -> list[str]:
        now = state(*(exchange("get_order", number=number) for number in range(exchanges)))
        request = asking(transcript=said(*("ca" * earlier)[:earlier]))
        prompt = stepping(agent=agent, request=request, now=now)
        shown = [text for text in texts(prompt.body["messages"][-1]) if "<reminder>" in text]
        assert prompt.reminded == bool(shown)
        return shown

    @pytest.mark.parametrize(
        ("earlier", "exchanges", "due"),
        [
            # messages: earlier + 1 + 2 for each exchange; due when a multiple of 4 is passed
            (0, 0, False),
            (2, 0, False),
            (3, 0, True),
            (4, 0, True),
            (5, 0, False),
            (6, 0, False),
            (8, 0, True),
            (0, 1, False),
            (0, 2, True),
            (0, 3, False),
            (0, 4, True),
            (2, 1, True),
            (2, 2, False),
        ],
    )
    def test_one_is_due_when_its_count_has_just_been_passed(
        self, earlier: int, exchanges: int, due: bool
    ) -> None:
        expected = ["<reminder>\nMind Northwind.\n</reminder>"] if due else []
        assert self.reminded(earlier, exchanges) == expected

    def test_one_of_every_message_is_always_due(self) -> None:
        for earlier in range(6):
            for exchanges in range(4):
                assert self.reminded(earlier, exchanges, REMINDING[1])

    @given(st.integers(min_value=1, max_value=9), st.integers(min_value=0, max_value=12))
    def test_none_is_left_out_while_messages_are_added(self, every: int, exchanges: int) -> None:
        agent = REMINDING[every]
        shown = sum(bool(self.reminded(0, count, agent)) for count in range(exchanges + 1))
        messages = 1 + 2 * exchanges
        # Each prompt adds two messages, so a reminder for every one or two comes each time.
        assert shown == (exchanges + 1 if every == 1 else messages // every)

    def test_they_stand_at_the_end_of_steps_and_of_fast_paths_alone(self) -> None:
        request = asking(transcript=said("c", "a", "c"))
        for prompt in (
            stepping(agent=self.AGENT, request=request),
            final_prompt(self.AGENT, request, state(), route="fastPath"),
        ):
            assert "<reminder>" in texts(prompt.body["messages"][-1])[-1]
        for prompt in (
            plan_prompt(self.AGENT, request, state(), problem=None),
            final_prompt(self.AGENT, request, state(), route="execute"),
        ):
            assert "<reminder>" not in json.dumps(prompt.body)


words = st.sampled_from(["", " ", "Hello.", "x" * 50, "ü\u2028\x00"])
messages = st.builds(Message, st.sampled_from(["customer", "agent"]), words)
names = st.sampled_from(["get_order", "create_return", "call_a_person", "no such tool!", ""])
results = st.builds(
    ToolResult,
    st.sampled_from(["success", "not_found", "error"]),
    st.none() | words | st.lists(st.integers()),
    st.none() | words,
)


@st.composite
def states(draw: st.DrawFn) -> TurnState:
    exchanges = []
    for number in range(draw(st.integers(min_value=0, max_value=4))):
        made: Sequence[str] = draw(st.lists(names, min_size=1, max_size=3))
        exchanges.append(
            Exchange(
                draw(words),
                tuple(
                    ToolCall(f"toolu_{number}_{index}", name, {"a": draw(words)})
                    for index, name in enumerate(made)
                ),
                tuple(draw(results) for _ in made),
            )
        )
    return state(*exchanges, budget_low=draw(st.booleans()))


@given(st.data())
def test_every_prompt_is_one_that_the_api_takes(data: st.DataObject) -> None:
    agent = data.draw(st.sampled_from([AGENT, NOBODY, TestReminders.AGENT]))
    transcript = data.draw(st.lists(messages, max_size=6))
    request = asking(data.draw(words), transcript=transcript)
    now = data.draw(states())
    kind = data.draw(st.sampled_from(["gather_info", "take_action", "escalate", "respond"]))
    step = Step(type=kind, instruction="Go.", hard=data.draw(st.booleans()))
    prompts = [
        stepping(step, agent=agent, request=request, now=now),
        plan_prompt(agent, request, now, problem=data.draw(st.none() | words)),
        final_prompt(agent, request, now, route="execute"),
        final_prompt(agent, request, now, route="fastPath", max_bytes=2500, max_tokens=64),
    ]
    for prompt in prompts:
        assert request_faults(prompt.body) == []
        blocks = [block for message in prompt.body["messages"] for block in message["content"]]
        if any(block["type"] == "tool_use" for block in blocks):
            assert prompt.body["tools"]
