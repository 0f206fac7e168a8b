from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import to_json

from interlock.guardrails.format import Format, FormatSettings
from interlock.turn.guard import GuardrailInput, NoJudge

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


async def judged(settings: dict[str, Any], text: str) -> tuple[str | None, str]:
    guardrail = Format(FormatSettings.model_validate_json(to_json(settings)))
    decision = await guardrail.check(GuardrailInput("output", text), NoJudge())
    return (None, "") if decision is None else (decision.rule, decision.message)


@pytest.mark.parametrize(
    ("settings", "text", "rule", "says"),
    [
        ({}, "# anything", None, ""),
        ({"maxWords": 3}, "one two three", None, ""),
        ({"maxWords": 3}, "one two three four", "maxWords", "it has 4 words; at most 3"),
        ({"mustMatch": ["(?i)regards"]}, "Kind Regards", None, ""),
        ({"mustMatch": ["(?i)regards"]}, "Bye", "mustMatch", "lacks what matches (?i)regards"),
        ({"mustNotMatch": ["(?i)lawyer"]}, "Ask a Lawyer.", "mustNotMatch", "'Lawyer'"),
        ({"json": SCHEMA}, '{"a": 1}', None, ""),
        ({"json": SCHEMA}, '{"a": "x"}', "json", "$.a: 'x' is not of type 'integer'"),
        ({"json": SCHEMA}, "no", "json", "it is not JSON"),
        ({"noMarkdown": True}, "2 * 3 * 4 is 24 - so what_is_it", None, ""),
        ({"noMarkdown": True}, "Order #1001 [sic] (now)", None, ""),
        ({"noMarkdown": True}, "# Hello\n**you**", "noMarkdown", "a heading, bold text"),
        ({"noMarkdown": True}, "- one\n- two", "noMarkdown", "a list"),
        ({"noMarkdown": True}, "see [here](https://a.example)", "noMarkdown", "a link"),
        ({"noMarkdown": True}, "run `ls`", "noMarkdown", "code"),
        ({"noMarkdown": True}, "| a | b |\n|---|---|", "noMarkdown", "a table"),
    ],
)
async def test_the_form_is_checked(
    settings: dict[str, Any], text: str, rule: str | None, says: str
) -> None:
    found, message = await judged(settings, text)
    assert found == rule
    assert says in message


async def test_all_that_is_wrong_is_named_at_once() -> None:
    rule, message = await judged({"maxWords": 1, "noMarkdown": True}, "**two words**")
    assert rule == "maxWords"
    assert "2 words" in message
    assert "bold" in message
