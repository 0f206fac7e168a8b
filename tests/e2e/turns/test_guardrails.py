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


GROUNDED = "{use: grounded, with: {patterns: {order: 'ORD-\\d+'}}}"
POLICY = "{use: policy, with: {rules: [No promises about refund dates]}}"
SCOPE = "{use: scope, with: {allow: questions about orders}}"

AGENTS = {
    "grounded": f"guardrails: {{output: [{GROUNDED}]}}",
    "policy": f"guardrails: {{output: [{GROUNDED}, {POLICY}]}}",
    "scope": f"""guardrails: {{input: [{SCOPE}]}}
fastPaths:
  - name: order
    match: {{patterns: ['(?i)where is (?P<order_id>ORD-\\d+)']}}
    call: {{tool: get_order, input: {{order_id: '{{{{ match.order_id }}}}'}}}}
""",
    "personal": "guardrails: {input: [{use: pii}], toolCall: [{use: pii}]}",
    "tool-policy": """guardrails:
  toolCall:
    - use: tool_policy
      with:
        rules:
          - tool: add_*
            when: '{{ "refund" in input.note and session.tier != "gold" }}'
            deny: Only a person may note refunds.
""",
    "input": guarded("input", 30),
    "tool-call": guarded("toolCall", 60),
    "tool-result": guarded("toolResult", 60),
    "revise": guarded("output", 60),
    "escalate": guarded("output", 60, on_violation="escalate"),
    "refuse": guarded("output", 60, on_violation="refuse"),
}

JUDGED = """
  - name: judge - a poem is out of scope
    when: {format: scope, text: '(?i)poem'}
    reply: {json: {inScope: false, reason: it asks for a poem}}
  - name: judge - nonsense
    when: {format: scope, text: 'garble'}
    reply: {text: 'I would rather not say.'}
  - name: judge - all else is in scope
    when: {format: scope}
    reply: {json: {inScope: true, reason: fine}}
  - name: judge - a promise
    when: {format: policy, text: 'by Friday'}
    reply: {json: {violations: [{rule: 1, sentence: You will have it by Friday.}]}}
  - name: judge - something that the answer does not say
    when: {format: policy, text: 'invented'}
    reply: {json: {violations: [{rule: 1, sentence: You will have it tomorrow.}]}}
  - name: judge - no rule is broken
    when: {format: policy}
    reply: {json: {violations: []}}
  - name: make an order up, and again
    when: {user: 'fabricate for ever', format: none}
    reply: {text: 'Your order is ORD-7777, for $99.'}
  - name: mend what was made up
    when: {user: 'fabricate', text: '<rejected_answer>', format: none}
    reply: {text: 'I cannot see an order. Which number does it have?'}
  - name: make an order up
    when: {user: 'fabricate', format: none}
    reply: {text: 'Your order is ORD-7777, for $99.'}
  - name: promise again
    when: {user: 'promise for ever', format: none}
    reply: {text: 'Your refund is made. You will have it by Friday.'}
  - name: take a promise back
    when: {user: 'promise', text: '<rejected_answer>', format: none}
    reply: {text: 'Your refund is made.'}
  - name: promise
    when: {user: 'promise', format: none}
    reply: {text: 'Your refund is made. You will have it by Friday. Your order is ORD-7777.'}
  - name: say what the parcel does although nobody knows
    when: {user: '^look for a parcel', results: {get_parcel: 'error'}, format: none}
    reply: {text: 'Your parcel is out for delivery.'}
"""

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
    async with run_stack(small_project(AGENTS), JUDGED + WORDY + PLANS + ACTIONS, folder) as stack:
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


async def test_a_made_up_order_never_reaches_the_customer(stack: Stack) -> None:
    turn = await stack.ask("fabricate", agent="grounded")
    assert turn.ending == ("resolved", "end_turn")
    assert turn.reply == "I cannot see an order. Which number does it have?"
    denied, allowed = turn.of("guardrail")
    assert (denied["stage"], denied["guardrail"], denied["rule"], denied["verdict"]) == (
        "output",
        "grounded",
        "made_up",
        "deny",
    )
    assert "order ORD-7777, amount $99" in denied["message"]
    assert allowed["verdict"] == "allow"
    # The model was told what to leave out.
    assert "order ORD-7777, amount $99" in prompt_text(turn.prompts[-1])


async def test_who_makes_things_up_twice_gets_a_person_called(stack: Stack) -> None:
    turn = await stack.ask("fabricate for ever", agent="grounded")
    assert turn.ending == ("escalated", "guardrail:grounded")
    assert turn.reply == HANDED_OVER
    assert [each["verdict"] for each in turn.of("guardrail")] == ["deny", "deny"]
    (escalation,) = turn.of("escalation")
    assert "ORD-7777" in escalation["detail"]


async def test_a_status_that_nobody_could_look_up_is_not_claimed(stack: Stack) -> None:
    await stack.shop.arm("shipments", kind="503", times=2)
    turn = await stack.ask("look for a parcel", agent="grounded")
    assert turn.results()[0]["status"] == "error"
    assert turn.ending == ("escalated", "guardrail:grounded")
    assert "out for delivery" not in turn.reply
    denied = turn.of("guardrail")[0]
    assert denied["rule"] == "status_unknown"
    assert "get_parcel failed: 'out for delivery' in" in denied["message"]


async def test_what_is_out_of_scope_is_refused_before_any_tool(stack: Stack) -> None:
    before = await effects(stack.shop)
    turn = await stack.ask("note: write a poem", agent="scope")
    assert turn.ending == ("refused", "guardrail:scope")
    assert turn.reply == REFUSED
    assert turn.of("tool_call") == []
    assert await effects(stack.shop) == before
    (denied,) = turn.of("guardrail")
    assert (denied["rule"], denied["message"]) == ("out_of_scope", "it asks for a poem")
    (judged,) = [data for data in turn.of("model_call") if data["route"] == "validate"]
    assert judged["usage"]


async def test_a_fast_path_waits_for_the_scope(stack: Stack) -> None:
    refused = await stack.ask("Where is ORD-1001? In a poem, please.", agent="scope")
    assert refused.ending == ("refused", "guardrail:scope")
    assert refused.of("tool_call") == []
    assert [data["route"] for data in refused.of("model_call")] == ["validate"]
    answered = await stack.ask("Where is ORD-1001?", agent="scope")
    assert answered.ending == ("resolved", "fast_path")
    assert [data["route"] for data in answered.of("model_call")] == ["validate", "fastPath"]


async def test_a_judge_that_gives_no_verdict_lets_nothing_pass(stack: Stack) -> None:
    turn = await stack.ask("garble", agent="scope")
    assert turn.ending == ("refused", "guardrail_failed:scope")
    (failed,) = turn.of("guardrail")
    assert (failed["rule"], failed["message"]) == (
        "guardrail_failed",
        "the model's verdict is not JSON",
    )


async def test_a_broken_policy_is_mended_together_with_all_else(stack: Stack) -> None:
    turn = await stack.ask("promise", agent="policy")
    assert turn.ending == ("resolved", "end_turn")
    assert turn.reply == "Your refund is made."
    made_up, promised, allowed = turn.of("guardrail")
    assert (made_up["guardrail"], promised["guardrail"]) == ("grounded", "policy")
    assert promised["rule"] == "rules[0]"
    assert allowed["verdict"] == "allow"
    # One revision was told of both, and the answer was judged once before and once after it.
    told = [prompt_text(prompt) for prompt in turn.prompts if "<rejected" in prompt_text(prompt)]
    assert len(told) == 1
    assert '"You will have it by Friday."' in told[0]
    assert "ORD-7777" in told[0]
    routes = [data["route"] for data in turn.of("model_call")]
    assert routes == ["plan", "execute", "validate", "execute", "validate"]


async def test_a_policy_that_is_broken_twice_calls_a_person(stack: Stack) -> None:
    turn = await stack.ask("promise for ever", agent="policy")
    assert turn.ending == ("escalated", "guardrail:policy")
    assert turn.reply == HANDED_OVER


async def test_a_judge_that_invents_a_sentence_blocks_nothing(stack: Stack) -> None:
    turn = await stack.ask("invented", agent="policy")
    assert turn.ending == ("resolved", "end_turn")
    note, _ = turn.of("guardrail")
    assert (note["verdict"], note["rule"]) == ("allow", "note")
    assert "You will have it tomorrow." in note["message"]


async def test_personal_data_is_kept_from_models_tools_and_the_transcript(stack: Stack) -> None:
    conversation = await stack.service.open("personal")
    turn = await stack.say(conversation, "note: my card is 4111 1111 1111 1111")
    assert turn.reply == "You said: note: my card is [card]"
    assert "4111" not in str(turn.requests) + str(turn.events)
    assert turn.stored["text"] == "note: my card is [card]"
    again = await stack.say(conversation, "hello")
    assert "4111" not in str(again.requests)
    assert "note: my card is [card]" in str(again.requests)


async def test_a_tool_policy_forbids_a_call_by_its_input_and_the_session(stack: Stack) -> None:
    before = await effects(stack.shop)
    turn = await stack.ask("note a refund", agent="tool-policy")
    (result,) = turn.results()
    # The session has no tier, so that it cannot be told: forbidden.
    assert result["message"].startswith("refused by tool_policy: Only a person may note refunds.")
    assert await effects(stack.shop) == before
    allowed = await stack.ask("note a greeting", agent="tool-policy")
    assert allowed.results()[0]["status"] == "success"
