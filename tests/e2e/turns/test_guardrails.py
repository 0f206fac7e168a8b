"""Guardrails at their four places: what is refused, withheld, revised or handed over."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.shop import effects, struck, watch
from tests.e2e.support.stack import Stack, run_stack
from tests.e2e.support.turn import prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = "I am sorry, I cannot help with that."
HANDED_OVER = "I am handing you over to a colleague who will get back to you."


def guarded(stage: str, characters: int, *, on_violation: str = "revise") -> str:
    """The keys of an agent with one guardrail."""
    use = f"{stage}: [{{use: max_length, with: {{characters: {characters}}}}}]"
    return f"guardrails: {{{use}, onViolation: {on_violation}}}"


AGENTS = {
    "input": guarded("input", 30),
    "tool-call": guarded("toolCall", 60),
    "tool-result": guarded("toolResult", 60),
    "revise": guarded("output", 60),
    "escalate": guarded("output", 60, on_violation="escalate"),
    "refuse": guarded("output", 60, on_violation="refuse"),
}

WORDY = """
  - name: write too much again
    when: {user: 'twice', format: none}
    reply: {text: 'Well, as you asked for it, let me tell you everything that there is to tell.'}
  - name: write it again, shorter
    when: {text: '<rejected_answer>', format: none}
    reply: {text: 'In short: yes.'}
  - name: write too much
    when: {user: 'wordy', format: none}
    reply: {text: 'Well, as you asked for it, let me tell you everything that there is to tell.'}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A service with an agent for each guardrail."""
    folder = tmp_path_factory.mktemp("guarded")
    async with run_stack(small_project(AGENTS), WORDY + PLANS + ACTIONS, folder) as stack:
        yield stack


async def test_a_refused_message_costs_nothing_and_the_next_one_is_answered(stack: Stack) -> None:
    conversation = await stack.service.open("input")
    refused = await stack.say(conversation, "look at this much too long message")
    assert refused.ending == ("refused", "guardrail:max_length")
    assert refused.reply == REFUSED
    assert refused.answer["costUsd"] == "0"
    assert refused.results() == []
    answered = await stack.say(conversation, "hello")
    assert answered.ending == ("resolved", "end_turn")
    assert [each["verdict"] for each in answered.of("guardrail")] == ["allow"]


async def test_a_refused_tool_call_is_not_made(stack: Stack) -> None:
    before = await effects(stack.shop)
    turn = await stack.ask(
        "note that this is much too long to be kept by the staff", agent="tool-call"
    )
    (result,) = turn.results()
    assert (result["status"], result["attempts"]) == ("error", 0)
    assert result["message"].startswith("refused by max_length: ")
    (verdict,) = turn.of("guardrail")
    assert (verdict["stage"], verdict["verdict"], verdict["tool"]) == (
        "tool_call",
        "deny",
        "add_note",
    )
    assert "refused by max_length" in prompt_text(turn.prompts[-1])
    assert await effects(stack.shop) == before


async def test_a_withheld_tool_result_is_an_error_to_the_model(stack: Stack) -> None:
    await watch(stack.shop, "orders")
    turn = await stack.ask("look", agent="tool-result")
    assert await struck(stack.shop, "orders") == 1
    (result,) = turn.results()
    assert (result["status"], result["data"], result["attempts"]) == ("error", None, 1)
    assert result["message"].startswith("withheld by max_length: ")
    assert "SKU-1001" not in str(turn.prompts)
    assert turn.ending == ("incomplete", "tool_failed")


async def test_an_answer_is_revised_once_with_the_issue_named(stack: Stack) -> None:
    turn = await stack.ask("wordy", agent="revise")
    assert turn.ending == ("resolved", "end_turn")
    assert turn.reply == "In short: yes."
    assert [each["verdict"] for each in turn.of("guardrail")] == ["deny", "allow"]
    told = prompt_text(turn.prompts[-1])
    assert "at most 60 are allowed" in told
    assert "everything that there is to tell" in told


@pytest.mark.parametrize(
    ("agent", "text", "ending", "reply", "calls"),
    [
        ("revise", "wordy, twice", ("escalated", "guardrail:max_length"), HANDED_OVER, 3),
        ("escalate", "wordy", ("escalated", "guardrail:max_length"), HANDED_OVER, 2),
        ("refuse", "wordy", ("refused", "guardrail:max_length"), REFUSED, 2),
    ],
)
async def test_an_answer_that_must_not_be_sent_is_not_sent(
    agent: str, text: str, ending: tuple[str, str], reply: str, calls: int, stack: Stack
) -> None:
    turn = await stack.ask(text, agent=agent)
    assert turn.ending == ending
    assert turn.reply == reply
    assert turn.answer["modelCalls"] == calls
