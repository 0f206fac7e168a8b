from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from interlock.sim import parse_rules
from interlock.sim.facts import Facts
from interlock.sim.reply import Draft, ReplyTemplate
from interlock.sim.validation import validate_request
from interlock.templates import TemplateFault


def draft(reply: str, **fields: Any) -> Draft:
    rules = parse_rules(f"rules: [{{name: a, reply: {reply}}}]".encode(), "sim.yaml")
    body = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Hello"}],
        **fields,
    }
    request = validate_request(body, any_model=False)
    assert rules.rules[0].reply is not None
    return ReplyTemplate(rules.rules[0].reply).draft(request, Facts(request).context({}, Random(1)))


def test_a_text_is_rendered() -> None:
    found = draft("{text: 'You said {{ user }}.'}")

    assert found.content == [{"type": "text", "text": "You said Hello."}]
    assert found.stop_reason == "end_turn"
    assert found.output_tokens == 3


def test_blocks_come_in_the_order_of_the_api() -> None:
    found = draft("{tools: [{name: t, input: {n: '{{ 5 }}'}}], json: [1], thinking: hm}")

    assert found.content == [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "[1]"},
        {"type": "tool_use", "name": "t", "input": {"n": 5}},
    ]
    assert found.stop_reason == "tool_use"


def test_json_is_one_text_block() -> None:
    found = draft("{json: {goal: 'Answer {{ user }}', steps: [{n: 1}], none: null}}")

    assert json.loads(found.content[0]["text"]) == {
        "goal": "Answer Hello",
        "steps": [{"n": 1}],
        "none": None,
    }


def test_a_stop_reason_can_be_anything() -> None:
    assert draft("{text: a, stopReason: out_of_coffee}").stop_reason == "out_of_coffee"


def test_raw_content_is_sent_as_it_is() -> None:
    assert draft("{content: []}").content == []
    assert draft("{content: []}").output_tokens == 1
    assert draft("{content: [5, {type: magic}]}").content == [5, {"type": "magic"}]
    assert draft("{content: [{type: tool_use}]}").stop_reason == "tool_use"


def test_usage_can_be_claimed() -> None:
    assert draft("{text: a, usage: {output: 5000}}").output_tokens == 5000


def test_thinking_counts_as_output() -> None:
    found = draft(f"{{thinking: '{'a' * 40}', text: '{'b' * 40}'}}")

    assert (found.output_tokens, found.thinking_tokens) == (20, 10)


@pytest.mark.parametrize(
    ("fields", "thinks"),
    [
        ({}, True),
        ({"model": "claude-haiku-5-5"}, True),
        ({"model": "claude-haiku-5-5", "thinking": {"type": "disabled"}}, False),
        ({"model": "claude-haiku-4-5"}, False),
        (
            {
                "model": "claude-haiku-4-5",
                "max_tokens": 2000,
                "thinking": {"type": "enabled", "budget_tokens": 1024},
            },
            True,
        ),
    ],
)
def test_a_model_thinks_only_where_it_can(fields: dict[str, Any], thinks: bool) -> None:
    content = draft("{thinking: hm, text: a}", **fields).content

    assert (content[0]["type"] == "thinking") is thinks


def test_a_reply_longer_than_max_tokens_is_cut() -> None:
    found = draft(f"{{text: '{'ä' * 100}'}}", max_tokens=10)

    assert found.content == [{"type": "text", "text": "ä" * 20}]
    assert (found.stop_reason, found.output_tokens) == ("max_tokens", 10)


def test_a_reply_of_just_max_tokens_is_whole() -> None:
    found = draft(f"{{text: '{'a' * 40}'}}", max_tokens=10)

    assert (found.stop_reason, found.output_tokens) == ("end_turn", 10)


def test_thinking_can_leave_no_room_for_an_answer() -> None:
    found = draft(f"{{thinking: '{'a' * 40}', text: hello}}", max_tokens=10)

    assert [block["type"] for block in found.content] == ["thinking"]
    assert found.stop_reason == "max_tokens"


def test_a_tool_call_that_does_not_fit_is_incomplete() -> None:
    found = draft(f"{{tools: [{{name: t, input: {{a: '{'x' * 100}'}}}}]}}", max_tokens=5)

    assert found.content == [{"type": "tool_use", "name": "t", "input": {}}]
    assert found.stop_reason == "max_tokens"


@pytest.mark.parametrize(
    "reply",
    [
        "{text: '{{ result(\"t\").data }}'}",
        "{json: {a: '{{ called }}'}}",
        "{tools: [{name: t, input: {a: '{{ called }}'}}]}",
    ],
)
def test_a_template_that_fails_is_a_template_fault(reply: str) -> None:
    with pytest.raises(TemplateFault):
        draft(reply)
