"""The agents as they are shipped, each kind of request once, against the real shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.support.shipped import shipped_project, shipped_rules
from tests.e2e.support.shop import effects, idempotency_keys
from tests.e2e.support.stack import SHOP_DATABASE, Stack, run_stack
from tests.e2e.support.turn import prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True)
class Case:
    """A message, and what has to come of it."""

    text: str
    says: tuple[str, ...]
    tools: tuple[str, ...]
    calls: int
    """Model calls, exactly."""
    ending: tuple[str, str] = ("resolved", "end_turn")
    agent: str = "support"
    effects: dict[str, int] = field(default_factory=dict)


CASES = {
    "status by the fast path": Case(
        "Where is my order ORD-1001?",
        ("ORD-1001", "shipped", "2026-11-26"),
        ("get_order_status",),
        calls=2,
        ending=("resolved", "fast_path"),
    ),
    "status of an order": Case(
        "What is in ORD-1003?", ("ORD-1003", "processing"), ("get_order_status",), calls=4
    ),
    "where a parcel is": Case(
        "When does the parcel of ORD-1001 arrive?",
        ("1Z999AA10123456784", "2026-11-26"),
        ("get_order_status", "get_shipping_status"),
        calls=4,
    ),
    "a return": Case(
        "I want to return the kettle from order ORD-1002, it leaks.",
        ("RET-5002", "ORD-1002"),
        ("get_order_status", "create_return"),
        calls=5,
        effects={"returns": 1},
    ),
    "a return that the rules forbid": Case(
        "I want to send back everything of ORD-1001",
        ("could not open the return", "409"),
        ("get_order_status", "create_return"),
        calls=6,
    ),
    "a cancellation": Case(
        "Please cancel ORD-1003",
        ("ORD-1003 is cancelled",),
        ("cancel_order",),
        calls=4,
        effects={"cancellations": 1},
    ),
    "a list of orders": Case(
        "Show me my orders", ("ORD-1003 (processing)", "ORD-1002"), ("list_orders",), calls=4
    ),
    "a product": Case(
        "I am looking for wireless headphones",
        ("Aurora Wireless Headphones for $149",),
        ("search_products",),
        calls=4,
    ),
    "a rule of the shop": Case(
        "What is your return policy?",
        ("Delivered items may be returned.",),
        ("get_return_policy",),
        calls=4,
    ),
    "a person": Case(
        "I want to talk to a human",
        ("handing you over",),
        ("escalate_to_human",),
        calls=4,
        ending=("escalated", "model_asked"),
    ),
    "an order that is not there": Case(
        "Where is my order ORD-9999?",
        ("cannot find an order ORD-9999",),
        ("get_order_status",),
        calls=2,
        ending=("resolved", "fast_path"),
    ),
    "small talk": Case("hello", ("Hello!",), (), calls=3),
    "the orders specialist": Case(
        "Please cancel ORD-1003",
        ("ORD-1003 is cancelled",),
        ("cancel_order",),
        calls=3,
        agent="orders",
        effects={"cancellations": 1},
    ),
    "the products specialist": Case(
        "I am looking for wireless headphones",
        ("Aurora",),
        ("search_products",),
        calls=3,
        agent="products",
    ),
    "the returns specialist, who plans anew each time": Case(
        "I want to return the kettle from order ORD-1002",
        ("RET-5002",),
        ("get_order_status", "create_return"),
        calls=7,
        agent="returns",
        effects={"returns": 1},
    ),
}


CHANGES = [name for name, case in CASES.items() if case.effects]
OTHERS = [name for name in CASES if name not in CHANGES]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The project as it is shipped, for tests that change nothing in its shop."""
    folder = tmp_path_factory.mktemp("shared")
    async with run_stack(shipped_project(), shipped_rules(), folder) as stack:
        yield stack


async def check(name: str, stack: Stack) -> None:
    """Sends the message, and fails unless just what has to come of it does."""
    case = CASES[name]
    turn = await stack.ask(case.text, agent=case.agent)
    assert turn.ending == case.ending
    for said in case.says:
        assert said in turn.reply
    assert [data["tool"] for data in turn.of("tool_call")] == list(case.tools)
    assert turn.answer["modelCalls"] == case.calls == len(turn.requests)
    assert await effects(stack.shop) == case.effects
    # Every step has few tools, and nothing had to be tried twice.
    assert all(len(data["tools"]) <= 5 for data in turn.of("model_call"))
    assert {request["status"] for request in turn.requests} == {200}
    assert not turn.failures


@pytest.mark.parametrize("name", OTHERS)
async def test_shipped_agents_answer(name: str, shared: Stack) -> None:
    await check(name, shared)


@pytest.mark.parametrize("name", CHANGES)
async def test_shipped_agents_change_what_they_are_asked_to_change(
    name: str, shipped: Stack
) -> None:
    await check(name, shipped)


async def test_the_fast_path_needs_two_calls_of_the_cheap_model_and_no_tools(
    shared: Stack,
) -> None:
    turn = await shared.ask("Where is my order ORD-1001?")
    judged, prompt = turn.prompts
    assert judged["model"] == prompt["model"] == "claude-haiku-5-5"
    assert "tools" not in judged
    assert prompt["tool_choice"] == {"type": "none"}
    assert turn.of("plan") == []
    assert [data["route"] for data in turn.of("model_call")] == ["validate", "fastPath"]
    # Nothing is looked up for a message before it is known to be in scope.
    kinds = [event["type"] for event in turn.events]
    assert kinds.index("guardrail") < kinds.index("tool_call")
    (result,) = turn.results()
    assert (result["status"], result["attempts"], result["effect"]) == ("success", 1, "none")


async def test_a_return_is_planned_looked_up_made_once_and_answered(
    shipped: Stack, tmp_path: Path
) -> None:
    turn = await shipped.ask("I want to return the kettle from order ORD-1002, it leaks.")
    (plan,) = turn.of("plan")
    assert [step["type"] for step in plan["steps"]] == ["gather_info", "take_action", "respond"]
    looked, made = turn.results()
    assert (looked["status"], looked["effect"]) == ("success", "none")
    assert (made["status"], made["effect"], made["attempts"]) == ("success", "applied", 1)
    # The models of the routes, and in each step only the tools of its categories.
    assert [prompt["model"] for prompt in turn.prompts] == [
        "claude-haiku-5-5",
        "claude-haiku-5-5",
        "claude-sonnet-5-5",
        "claude-sonnet-5-5",
        "claude-sonnet-5-5",
    ]
    # The scope is judged beside the plan.
    *_, gather, act, respond = turn.of("model_call")
    assert "create_return" not in gather["tools"]
    assert "create_return" in act["tools"]
    assert "get_order_status" not in act["tools"]
    assert respond["tools"] == ["escalate_to_human"]
    # What the model of the last step read is what the shop answered.
    assert made["data"]["id"] in prompt_text(turn.prompts[-1])

    stored = (await shipped.shop.get("/returns/RET-5002", customer="CUST-1001")).body
    assert (stored["order_id"], stored["items"]) == (
        "ORD-1002",
        [{"sku": "SKU-1201", "quantity": 1}],
    )
    (key,) = await idempotency_keys(tmp_path / SHOP_DATABASE)
    assert key.startswith("create_return:")


async def test_a_person_gets_what_is_needed_to_take_over(shared: Stack) -> None:
    turn = await shared.ask("I want to talk to a human about ORD-1002")
    assert turn.ending == ("escalated", "model_asked")
    (escalation,) = turn.of("escalation")
    opened = turn.answer["escalation"]["id"]
    assert turn.answer["escalation"] == {**escalation, "id": opened}
    assert turn.rules[-1] == "summarise for the colleague who takes over"
    assert escalation["queue"] == "support-humans"
    assert "I want to talk to a human about ORD-1002" in escalation["detail"]
    assert "I want to talk to a human about ORD-1002" in escalation["summary"]
    assert escalation["lastToolCall"]["tool"] == "escalate_to_human"


async def test_asking_for_the_same_return_again_does_it_once(shipped: Stack) -> None:
    conversation = await shipped.service.open()
    text = "I want to return the kettle from order ORD-1002, it leaks."
    first = await shipped.say(conversation, text)
    again = await shipped.say(conversation, text)
    assert "RET-5002" in first.reply
    assert again.reply == first.reply
    assert again.ending == ("resolved", "end_turn")
    assert await effects(shipped.shop) == {"returns": 1}


async def test_a_message_that_is_too_long_is_refused_before_any_model_reads_it(
    shared: Stack,
) -> None:
    turn = await shared.ask("please " * 1000)
    assert turn.ending == ("refused", "guardrail:max_length")
    assert turn.requests == []
    assert turn.answer["costUsd"] == "0"
    (verdict,) = turn.of("guardrail")
    assert (verdict["verdict"], verdict["guardrail"]) == ("deny", "max_length")
