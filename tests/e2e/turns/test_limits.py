"""Limits: what a conversation may use is never passed, and a limit never ends in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.support.project import ACTIONS, PLANS, STEP, small_project
from tests.e2e.support.stack import Stack, run_stack
from tests.e2e.support.turn import Turn, prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENT = "breakers: {repetition: {identicalCalls: 99, sameResult: 99, polls: 99}}"
"""Only the limits end a turn."""

GREEDY = """
  - name: plan to look further
    when: {format: plan, user: '^look'}
    reply: {json: {steps: [{type: gather_info, instruction: Look it up.}]}}
  - name: look at the next order
    when: {user: '^look', text: 'Look it up', toolChoice: auto}
    reply: {tools: [{name: get_order, input: {order_id: 'ORD-{{ 1001 + called("get_order") }}'}}]}
  - name: land
    when: {user: '^look', toolChoice: none, format: none}
    reply: {text: This is what I know.}
"""
"""A model that never has enough, unless it cannot call a tool any more."""

UNRELIABLE = """
  - {name: lost, when: {user: unreliably, nth: {every: 3}}, fault: drop}
"""

SLOW = """
  - name: take longer than the turn may
    when: {user: slowly, text: 'Look it up', toolChoice: auto, called: [get_order]}
    fault: hang
"""

LANDED = "This is what I know."
STATIC = "I am sorry, I could not finish this in time. Please try again, or ask for a colleague."
HANDED_OVER = "I am handing you over to a colleague who will get back to you."


@dataclass(frozen=True, slots=True)
class Case:
    """Limits, one of which ends every turn."""

    limits: str
    key: str
    text: str = "look at everything"


CASES = {
    "tokens": Case("maxTokens: 6000, reserveForFinal: 1500", "limits.maxTokens"),
    "cost": Case("maxCostUsd: 0.03, reserveForFinal: 1500", "limits.maxCostUsd"),
    "iterations": Case("maxIterations: 3", "limits.maxIterations"),
    "time": Case("turnTimeout: 2s", "limits.turnTimeout", "look at everything, slowly"),
}

TOKENS = [(3000, 1000), (2700, 0), (3400, 700), (5000, 2000), (9000, 100)]
"""The limit, and what of it is kept back for a last answer."""

COSTS = [("0.012", 100), ("0.016", 500), ("0.02", 0), ("0.05", 2000)]


def limited(limits: str, *, on_exhausted: str = "complete") -> str:
    """The agent's keys for these limits, of which no other ends a turn before."""
    given = limits if "maxIterations" in limits else f"maxIterations: 99, {limits}"
    return f"{PATIENT}\nlimits: {{{given}, onExhausted: {on_exhausted}}}"


def agents() -> dict[str, str]:
    """All agents that the tests talk to."""
    made = {name: limited(case.limits) for name, case in CASES.items()}
    for name, case in CASES.items():
        # To call a person takes no time that would have to be kept back.
        limits = case.limits.replace("2s", "1s")
        made[f"{name}-person"] = limited(limits, on_exhausted="escalate")
    for tokens, reserve in TOKENS:
        made[f"tokens-{tokens}"] = limited(f"maxTokens: {tokens}, reserveForFinal: {reserve}")
    for cost, reserve in COSTS:
        limits = f"maxCostUsd: {cost}, maxTokens: 1000000, reserveForFinal: {reserve}"
        made[f"cost-{cost.replace('.', '-')}"] = limited(limits)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A service with all these agents."""
    source = small_project(agents(), replan="always")
    rules = SLOW + UNRELIABLE + GREEDY + PLANS + ACTIONS
    async with run_stack(source, rules, tmp_path_factory.mktemp("limits")) as stack:
        yield stack


@pytest.mark.parametrize("name", CASES)
async def test_at_a_limit_the_customer_gets_what_is_known(name: str, stack: Stack) -> None:
    case = CASES[name]
    turn = await stack.ask(case.text, agent=name)
    assert turn.ending == ("incomplete", name)
    assert turn.reply == LANDED
    (breaker,) = turn.of("breaker")
    assert (breaker["breaker"], breaker["limit"]) == (name, case.key)
    assert turn.of("observation")[-1]["action"] == "complete"
    # What was found so far is in the last prompt, with which no tool can be called.
    found = [result for result in turn.results() if result["status"] == "success"]
    last = turn.prompts[-1]
    assert found
    assert last["tool_choice"] == {"type": "none"}
    assert "No tool can be\ncalled any more" in prompt_text(last)
    assert found[-1]["data"]["id"] in str(last["messages"])


@pytest.mark.parametrize("name", CASES)
async def test_at_a_limit_a_person_takes_over_where_the_agent_says_so(
    name: str, stack: Stack
) -> None:
    case = CASES[name]
    turn = await stack.ask(case.text, agent=f"{name}-person")
    assert turn.ending == ("escalated", name)
    assert turn.reply == HANDED_OVER
    assert turn.of("breaker")[0]["limit"] == case.key
    assert "land" not in turn.rules
    # The work so far is not lost on the one who takes over.
    assert 'get_order {"order_id":"ORD-1001"} -> success' in turn.answer["escalation"]["summary"]


async def use_up(stack: Stack, conversation: str, text: str) -> list[Turn]:
    """The turns of a conversation until one of them can afford no model call."""
    turns: list[Turn] = []
    while not turns or turns[-1].answer["modelCalls"]:
        turns.append(await stack.say(conversation, text))
        assert len(turns) < 40
    return turns


@pytest.mark.parametrize("text", ["look at everything", "look unreliably"])
@pytest.mark.parametrize("tokens", [tokens for tokens, _ in TOKENS])
async def test_a_conversation_never_uses_more_tokens_than_it_may(
    tokens: int, text: str, stack: Stack
) -> None:
    conversation = await stack.service.open(f"tokens-{tokens}")
    turns = await use_up(stack, conversation, text)
    used_up = [turns[-1], await stack.say(conversation, "hello?")]
    spent = await stack.service.get(f"/v1/conversations/{conversation}")
    total = sum(entry.usage.total for turn in turns for entry in turn.ledger)
    assert total == spent["tokens"] == sum(turn.answer["tokens"] for turn in turns) <= tokens
    assert all(turn.answer["outcome"] in ("incomplete", "failed") for turn in turns)
    # Once it is used up, no model is asked any more, and the customer still gets an answer.
    for turn in used_up:
        assert turn.ending == ("incomplete", "tokens")
        assert turn.reply == STATIC
        assert (turn.requests, turn.answer["tokens"], turn.answer["costUsd"]) == ([], 0, "0")
    # Another conversation has a budget of its own.
    assert (await stack.ask("hello", agent=f"tokens-{tokens}")).requests


@pytest.mark.parametrize("cost", [cost for cost, _ in COSTS])
async def test_a_conversation_never_costs_more_than_it_may(cost: str, stack: Stack) -> None:
    conversation = await stack.service.open(f"cost-{cost.replace('.', '-')}")
    turns = await use_up(stack, conversation, "look unreliably")
    spent = await stack.service.get(f"/v1/conversations/{conversation}")
    assert Decimal(spent["costUsd"]) <= Decimal(cost)
    assert sum(Decimal(turn.answer["costUsd"]) for turn in turns) == Decimal(spent["costUsd"])
    assert turns[-1].ending == ("incomplete", "cost")
    assert turns[-1].reply == STATIC


async def test_a_used_up_conversation_goes_to_a_person_where_the_agent_says_so(
    stack: Stack,
) -> None:
    conversation = await stack.service.open("tokens-person")
    turns = await use_up(stack, conversation, "look at everything")
    [handed_over] = [turn for turn in turns if turn.ending == ("escalated", "tokens")]
    assert handed_over.reply == HANDED_OVER
    # From then on the person has it, and no model is asked.
    after = await stack.say(conversation, "hello?")
    assert (after.ending, after.requests) == (("escalated", "with_person"), [])


OPTIONAL = f"""
  - name: plan more than is needed
    when: {{format: plan}}
    reply:
      json:
        steps:
          - {STEP % ("gather_info", "Look it up.")}
          - {(STEP % ("gather_info", "Look at more.")).replace("required", "optional")}
          - {STEP % ("respond", "Answer.")}
  - name: look at more
    when: {{text: 'Look at more', offered: [get_parcel]}}
    reply: {{tools: [{{name: get_parcel, input: {{order_id: ORD-1001}}}}]}}
"""


@pytest.mark.parametrize(
    ("warn_at", "tools"),
    [("0.9", ["get_order", "get_parcel"]), ("0.02", ["get_order"])],
    ids=["enough is left", "little is left"],
)
async def test_a_low_budget_drops_what_is_optional(
    warn_at: str, tools: list[str], tmp_path: Path
) -> None:
    source = small_project(limited(f"maxTokens: 20000, warnAt: {warn_at}"))
    async with run_stack(source, OPTIONAL + ACTIONS, tmp_path) as stack:
        turn = await stack.ask("look")
    assert turn.ending == ("resolved", "end_turn")
    assert [result["tool"] for result in turn.results()] == tools
    told = ["<budget>" in prompt_text(prompt) for prompt in turn.prompts]
    assert told == [False, *[len(tools) == 1 and number > 0 for number in range(len(tools) + 1)]]
