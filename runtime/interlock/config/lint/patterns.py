"""Whether regular expressions can keep the service busy with one text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from interlock.config.lint.backtracking import degree_of, is_exponential
from interlock.config.lint.regex_tree import parse_regex
from interlock.config.placed import Placed
from interlock.config.surroundings import Surroundings
from interlock.config.validate import Loc
from interlock.diagnostics import Diagnostic
from interlock.memo import remembered
from interlock.model.agent import Agent
from interlock.model.guardrail import RegexMark, marked
from interlock.model.tool import Tool

__all__ = ["find_slow_guardrails", "find_slow_inputs", "find_slow_messages"]

_MOST_TRIES = 10**8
"""About a second's work."""

_LONGEST_INPUT = 5_000
"""Characters that a model may write where the schema has no `maxLength`."""


def find_slow_messages(placed: Placed[Agent]) -> Iterator[Diagnostic]:
    """ILK-C027: patterns of fast paths, which every message is matched with."""
    for index, path in enumerate(placed.model.fast_paths):
        for number, pattern in enumerate(path.match.patterns):
            at = ("fastPaths", index, "match", "patterns", number)
            yield from _judge(placed, pattern, path.match.max_characters, at)


def find_slow_guardrails(placed: Placed[Agent], surroundings: Surroundings) -> Iterator[Diagnostic]:
    """ILK-C027: patterns of guardrails, which messages, answers and results are searched with."""
    declared = placed.model.guardrails
    stages = {
        "input": declared.input,
        "toolCall": declared.tool_call,
        "toolResult": declared.tool_result,
        "output": declared.output,
    }
    for stage, uses in stages.items():
        for index, use in enumerate(uses):
            model = surroundings.guardrails.get(use.use)
            if model is None:
                continue
            try:
                settings = model.model_validate_json(
                    to_json(use.with_), by_alias=True, by_name=False
                )
            except ValidationError:
                continue  # It has been reported.
            for _, pattern, path in marked(settings, RegexMark):
                at = ("guardrails", stage, index, "with", *path)
                yield from _judge(placed, pattern, _LONGEST_INPUT, at)


def find_slow_inputs(placed: Placed[Tool]) -> Iterator[Diagnostic]:
    """ILK-C027: patterns of tool inputs, which whatever a model writes is matched with."""
    for pattern, longest, at in _patterns(placed.model.input, ("input",)):
        yield from _judge(placed, pattern, longest, at)


def _patterns(schema: Any, at: Loc) -> Iterator[tuple[str, int, Loc]]:
    if isinstance(schema, dict):
        pattern, longest = schema.get("pattern"), schema.get("maxLength")
        if isinstance(pattern, str):
            limit = longest if isinstance(longest, int) else _LONGEST_INPUT
            yield pattern, limit, (*at, "pattern")
        for key, item in schema.items():
            if key not in ("const", "default", "enum", "examples"):
                yield from _patterns(item, (*at, key))
    elif isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _patterns(item, (*at, index))


def _judge(placed: Placed[Any], pattern: str, longest: int, at: Loc) -> Iterator[Diagnostic]:
    exponential, degree = _cost(pattern)
    if exponential:
        yield placed.finding(
            "ILK-C027",
            "a text that does not quite match can take almost for ever: a repeat inside of a"
            " repeat can share the same characters in many ways",
            at,
            hint="let each round of the outer repeat begin with something that only it can match",
            severity="warning",
        )
    elif longest**degree > _MOST_TRIES:
        yield placed.finding(
            "ILK-C027",
            f"a text of {longest} characters that does not quite match can take very long:"
            f" {degree} repeats compete for the same characters",
            at,
            hint="begin with ^, let repeats take fewer kinds of characters, or limit the length",
            severity="warning",
        )


@remembered
def _cost(pattern: str) -> tuple[bool, int]:
    """Whether the time grows exponentially, and if not, with which power of the length."""
    tree = parse_regex(pattern)
    if tree is None:
        return False, 0
    return (True, 0) if is_exponential(tree) else (False, degree_of(tree))
