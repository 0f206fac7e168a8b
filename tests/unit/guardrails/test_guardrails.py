from __future__ import annotations

from collections.abc import Sequence

import pytest

from interlock.guardrails import SETTINGS, build_guards
from interlock.guardrails.max_length import MaxLength, MaxLengthSettings
from interlock.turn.guard import (
    Deny,
    Guardrail,
    GuardrailInput,
    NoJudge,
    Stage,
    first_violation,
)
from tests.unit.turn.scripted import compiled


@pytest.mark.parametrize(
    ("characters", "text", "words"),
    [
        (5, "", None),
        (5, "12345", None),
        (5, "123456", "it has 6 characters; at most 5 are allowed"),
        (5, "äöüß€", None),
        (1, "👍🏽", "it has 2 characters; at most 1 are allowed"),
    ],
)
async def test_max_length_counts_characters(characters: int, text: str, words: str | None) -> None:
    guardrail = MaxLength(MaxLengthSettings(characters=characters))
    decision = await guardrail.check(GuardrailInput("input", text), NoJudge())
    assert decision == (None if words is None else Deny(words))


async def test_guardrails_are_built_for_their_stage_with_their_settings() -> None:
    spec = compiled(
        """
guardrails:
  input: [{use: max_length, with: {characters: 3}}, {use: max_length, with: {characters: 2}}]
  toolCall: [{use: max_length}]
  output: [{use: max_length, with: {characters: 4}}]
"""
    ).spec
    guards = build_guards(spec)
    assert [len(stage) for stage in (guards.input, guards.tool_call, guards.tool_result)] == [
        2,
        1,
        0,
    ]
    messages = [
        await _first(guards.input, "input", "123"),
        await _first(guards.output, "output", "1234"),
        await _first(guards.tool_call, "tool_call", "x" * 5000),
        await _first(guards.tool_call, "tool_call", "x" * 5001),
    ]
    assert messages == [
        "it has 3 characters; at most 2 are allowed",
        None,
        None,
        "it has 5001 characters; at most 5000 are allowed",
    ]


async def _first(guardrails: Sequence[Guardrail], stage: Stage, text: str) -> str | None:
    violation = await first_violation(guardrails, GuardrailInput(stage, text), NoJudge())
    return None if violation is None else violation.message


def test_every_guardrail_that_can_be_named_has_settings_of_its_own() -> None:
    assert SETTINGS["max_length"] is MaxLengthSettings
    assert len(set(SETTINGS.values())) == len(SETTINGS)
