"""Judging texts with one guardrail, outside of any conversation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from interlock.errors import InterlockError
from interlock.model.base import Json, JsonObject
from interlock.turn.guard import (
    Deny,
    Guardrail,
    GuardrailInput,
    Judge,
    NoVerdict,
    Redact,
    Stage,
)

__all__ = ["CHANNELS", "BadLine", "Sample", "Verdict", "judge_samples", "read_samples"]

CHANNELS: Mapping[str, Stage] = MappingProxyType(
    {
        "user": "input",
        "tool": "tool_result",
        "tool_output": "tool_result",
        "tool_call": "tool_call",
        "output": "output",
    }
)
"""What `channel` may say, and which stage of a turn that is."""


class BadLine(InterlockError):
    """A line of the file is not what it has to be."""

    code = "bad_line"


@dataclass(frozen=True, slots=True)
class Sample:
    """One text to be judged."""

    line: int
    text: str
    channel: str
    label: str | None
    """`attack` or `benign`, where the line says so."""
    tier: str | None

    @property
    def stage(self) -> Stage:
        """Where in a turn the text would arrive."""
        return CHANNELS[self.channel]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guardrail says about a text."""

    verdict: Literal["allow", "deny", "redact", "error"]
    rule: str | None = None
    message: str | None = None
    text: str | None = None
    """For `redact`: what is to pass instead."""

    def to_json(self) -> JsonObject:
        """The line of output; `text` only where there is one."""
        line: JsonObject = {"verdict": self.verdict, "rule": self.rule, "message": self.message}
        return line if self.text is None else {**line, "text": self.text}


def read_samples(lines: Iterable[bytes], *, name: str) -> Iterator[Sample]:
    """The texts of a JSONL file; empty lines are none. Raises `BadLine` with the place."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _sample(line, number, f"{name}:{number}")


async def judge_samples(
    samples: Iterable[Sample], guardrails: Mapping[Stage, Guardrail]
) -> AsyncIterator[tuple[Sample, Verdict]]:
    """Each text with its verdict, in order."""
    for sample in samples:
        yield sample, await _judge(sample, guardrails[sample.stage])


class _NobodyToAsk:
    """A judge that says no and remembers that it was asked."""

    def __init__(self) -> None:
        self.asked = False

    async def ask(
        self, *, instruction: str, text: str, schema: JsonObject, max_tokens: int
    ) -> JsonObject:
        """Raises `NoVerdict`."""
        self.asked = True
        raise NoVerdict("no model can be asked here")

    def note(self, message: str) -> None:
        """Does nothing, as there is no trace."""


async def _judge(sample: Sample, guardrail: Guardrail) -> Verdict:
    arguments = _object(sample.text) if sample.stage == "tool_call" else None
    data = GuardrailInput(sample.stage, sample.text, arguments=arguments)
    nobody = _NobodyToAsk()
    judge: Judge = nobody
    try:
        decision = await guardrail.check(data, judge)
    except NoVerdict:
        decision = None
    if nobody.asked:
        # Whatever it made of that, with a model it might have said something else.
        name = guardrail.name
        return Verdict("error", message=f"'{name}' asks a model about this text, and here is none")
    match decision:
        case Deny(message, rule):
            return Verdict("deny", rule, message)
        case Redact(text, rule):
            return Verdict("redact", rule, text=text)
    return Verdict("allow")


def _sample(line: bytes, number: int, place: str) -> Sample:
    try:
        document: Json = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"{place}: it is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadLine(f"{place}: it has to be an object with 'text' and 'channel'")
    text, channel = document.get("text"), document.get("channel")
    if not isinstance(text, str):
        raise BadLine(f"{place}: 'text' has to be a text")
    if not isinstance(channel, str) or channel not in CHANNELS:
        raise BadLine(f"{place}: 'channel' has to be one of {', '.join(CHANNELS)}")
    return Sample(number, text, channel, _word(document.get("label")), _word(document.get("tier")))


def _word(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _object(text: str) -> JsonObject | None:
    try:
        document: Json = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
