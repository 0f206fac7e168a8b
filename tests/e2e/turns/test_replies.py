"""Replies that no model should give, and replies that are hard to use: each ends as documented."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from interlock.config.source import Source
from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.simulator import read_rules
from tests.e2e.support.stack import Stack, run_stack
from tests.e2e.support.turn import prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATIC = {
    "refused": "I am sorry, I cannot help with that.",
    "failed": "I am sorry, something went wrong on our side. Please try again in a moment.",
    "incomplete": (
        "I am sorry, I could not finish this in time. Please try again, or ask for a colleague."
    ),
}
"""What the customer reads when no model's answer is to be had."""

LONG = "word " * 1000


@dataclass(frozen=True, slots=True)
class Case:
    """What the model does with a message, and how its turn has to end."""

    answer: str
    ending: tuple[str, str]
    calls: int
    """Model calls."""
    reply: str | None = None
    """What the customer reads; None for the answer of the rules that follow."""
    times: int | None = None
    """How often the model does so; None for always."""
    when: str = "format: none"

    def rule(self, name: str) -> str:
        """The rule for the message `name`."""
        when = f"{self.when}, user: '^{name}$'"
        when += "" if self.times is None else f", times: {self.times}"
        return f"\n  - {{name: '{name}', when: {{{when}}}, {self.answer}}}\n"


PLANNER = "format: plan"
RESOLVED = ("resolved", "end_turn")
FENCED = (
    'reply: {text: "```json\\n{\\"steps\\": [{\\"type\\": \\"respond\\", \\"instruction\\":'
    ' \\"Answer.\\"}]}\\n```"}'
)
SEARCHING = (
    "reply: {content: [{type: server_tool_use, id: srvtoolu_1, name: web_search, input: {}}],"
    " stopReason: pause_turn}"
)
STEPS = ", ".join(["{type: respond, instruction: Answer.}"] * 13)

CASES = {
    "empty content once": Case("reply: {content: []}", RESOLVED, 3, times=1),
    "blank text once": Case("reply: {text: '  '}", RESOLVED, 3, times=1),
    "only thinking once": Case("reply: {thinking: hm}", RESOLVED, 3, times=1),
    "an unknown block once": Case("reply: {content: [{type: hologram}]}", RESOLVED, 3, times=1),
    "empty content twice": Case(
        "reply: {content: []}", ("failed", "model_unusable"), 3, STATIC["failed"]
    ),
    "a refusal": Case(
        "reply: {text: I must not., stopReason: refusal, refusalCategory: cyber}",
        ("refused", "model_refusal:cyber"),
        2,
        STATIC["refused"],
    ),
    "a refusal without a category": Case(
        "reply: {content: [], stopReason: refusal}",
        ("refused", "model_refusal:unspecified"),
        2,
        STATIC["refused"],
    ),
    "a refusal of the planner": Case(
        "reply: {content: [], stopReason: refusal, refusalCategory: cyber}",
        ("refused", "model_refusal:cyber"),
        1,
        STATIC["refused"],
        when=PLANNER,
    ),
    "an answer that is cut off once": Case(
        "reply: {text: Half an, stopReason: max_tokens}", RESOLVED, 3, times=1
    ),
    "an answer that is always cut off": Case(
        "reply: {text: Half an, stopReason: max_tokens}", ("incomplete", "max_tokens"), 3, "Half an"
    ),
    "an answer that is too long": Case(
        f"reply: {{text: '{LONG}'}}", ("incomplete", "max_tokens"), 3, LONG[:4000].strip()
    ),
    "nothing before the cut": Case(
        "reply: {content: [], stopReason: max_tokens}",
        ("failed", "model_unusable"),
        3,
        STATIC["failed"],
    ),
    "a pause that never ends": Case(
        SEARCHING, ("incomplete", "iterations"), 8, STATIC["incomplete"]
    ),
    "an unknown stop reason": Case(
        "reply: {text: What now?, stopReason: cosmic_rays}",
        ("escalated", "unknown_stop_reason"),
        2,
        "I am handing you over to a colleague who will get back to you.",
    ),
    "a full context window": Case(
        "reply: {text: I was, stopReason: model_context_window_exceeded}",
        ("incomplete", "context"),
        3,
        times=1,
    ),
    "a context window that stays full": Case(
        "reply: {text: I was, stopReason: model_context_window_exceeded}",
        ("incomplete", "context"),
        3,
        STATIC["incomplete"],
    ),
    "a plan that is no JSON once": Case("reply: {text: Sure!}", RESOLVED, 3, times=1, when=PLANNER),
    "a plan that is never JSON": Case("reply: {text: Sure!}", RESOLVED, 3, when=PLANNER),
    "a plan without steps": Case("reply: {json: {steps: []}}", RESOLVED, 3, when=PLANNER),
    "a plan of thirteen steps": Case(
        f"reply: {{json: {{steps: [{STEPS}]}}}}", RESOLVED, 3, when=PLANNER
    ),
    "a step of an unknown type once": Case(
        "reply: {json: {steps: [{type: dance, instruction: Now.}]}}",
        RESOLVED,
        3,
        times=1,
        when=PLANNER,
    ),
    "a plan that is always cut off": Case(
        f"reply: {{json: {{steps: '{LONG}'}}}}", RESOLVED, 3, when=PLANNER
    ),
    "a plan that is always empty": Case("reply: {content: []}", RESOLVED, 3, when=PLANNER),
    "note nothing but ask back": Case(
        "reply: {text: Which one?}", ("incomplete", "action_open"), 2, "Which one?"
    ),
    "a person who is only written about": Case(
        "reply: {json: {steps: [{type: escalate, instruction: Call a person.}]}}",
        ("escalated", "model_asked"),
        2,
        "I am handing you over to a colleague who will get back to you.",
        when=PLANNER,
    ),
    "a plan in a fence": Case(FENCED, RESOLVED, 2, when=PLANNER),
}


DETAILS = f"""
  - name: nothing, once
    when: {{user: '^nothing at first$', format: none, times: 1}}
    reply: {{content: []}}
  - name: too much, once
    when: {{user: '^a long answer$', text: Answer, format: none, times: 1}}
    reply: {{text: '{"word " * 700}'}}
  - name: a pause to search
    when: {{user: '^a pause$', format: none, times: 1}}
    reply:
      content:
        - {{type: text, text: Let me see.}}
        - {{type: server_tool_use, id: srvtoolu_1, name: web_search, input: {{query: shop}}}}
      stopReason: pause_turn
"""

THOUGHTFUL = """
  - name: a pause to think
    when: {format: none, times: 1}
    reply: {thinking: Hm, text: Let me see., stopReason: pause_turn}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A model that does what the message names."""
    source = small_project("limits: {maxIterations: 6}")
    rules = "".join(case.rule(name) for name, case in CASES.items()) + DETAILS
    folder = tmp_path_factory.mktemp("replies")
    async with run_stack(source, rules + PLANS + ACTIONS, folder) as stack:
        yield stack


@pytest.mark.parametrize("name", CASES)
async def test_every_reply_leads_to_a_documented_end(name: str, stack: Stack) -> None:
    case = CASES[name]
    conversation = await stack.service.open()
    turn = await stack.say(conversation, name)
    assert turn.ending == case.ending
    assert turn.reply == (case.reply or f"You said: {name}")
    assert turn.answer["modelCalls"] == len(turn.requests) == case.calls
    assert name in turn.rules
    # The simulator took every request: none of them is one that the API would refuse.
    assert {request["status"] for request in turn.requests} == {200}
    assert not any(entry.estimated for entry in turn.ledger)
    # And the conversation goes on.
    after = await stack.say(conversation, "hello")
    if case.ending[0] == "escalated":
        assert (after.ending, after.requests) == (("escalated", "with_person"), [])
    else:
        assert (after.ending, after.reply) == (RESOLVED, "You said: hello")


async def test_an_empty_reply_is_told_to_the_model(stack: Stack) -> None:
    turn = await stack.ask("nothing at first")
    assert "Your last reply was empty" in prompt_text(turn.prompts[-1])
    assert "Your last reply was empty" not in prompt_text(turn.prompts[-2])


async def test_an_answer_that_was_cut_off_gets_twice_the_room(stack: Stack) -> None:
    turn = await stack.ask("a long answer")
    assert [prompt["max_tokens"] for prompt in turn.prompts] == [500, 500, 1000]
    first, second = ({**prompt, "max_tokens": 0} for prompt in turn.prompts[1:])
    assert first == second
    stops = [data["stopReason"] for data in turn.of("model_call")]
    assert stops == ["end_turn", "max_tokens", "end_turn"]


async def test_a_paused_reply_is_sent_back_unchanged_and_goes_on(stack: Stack) -> None:
    turn = await stack.ask("a pause")
    before, after = turn.prompts[1:]
    assert after["messages"][:-1] == before["messages"]
    assert after["messages"][-1]["role"] == "assistant"
    assert [block["type"] for block in after["messages"][-1]["content"]] == [
        "text",
        "server_tool_use",
    ]
    assert {**after, "messages": 0} == {**before, "messages": 0}
    assert turn.answer["iterations"] == 2


async def test_a_pause_is_bridged_with_the_same_words_though_the_budget_runs_low(
    tmp_path: Path,
) -> None:
    # Thinking is bound to all that comes before it, so nothing there may change meanwhile.
    rules = read_rules(THOUGHTFUL + PLANS + ACTIONS).model_copy(update={"models": "any"})
    small = small_project("limits: {maxTokens: 10000, warnAt: 0.05}")
    settings = small.files["interlock.yaml"].replace(b"claude-sonnet-5-5", b"my-model")
    prices = b"\nprices: {my-model: {input: 1, output: 2}}\n"
    source = Source({**small.files, "interlock.yaml": settings + prices})
    async with run_stack(source, rules, tmp_path) as stack:
        turn = await stack.ask("hello")
    before, after = turn.prompts[1:]
    assert [block["type"] for block in after["messages"][-1]["content"]] == ["thinking", "text"]
    assert after["messages"][:-1] == before["messages"]
    assert turn.ending == ("resolved", "end_turn")
