"""Going round in circles: counted over the whole turn, whatever the order of the calls."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from pydantic_core import to_json

from interlock.model.agent import Repetition
from interlock.model.base import Json, JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import Tool

__all__ = ["Loop", "RepetitionLog", "digest"]

_SHORTEST_ECHO = 2


def digest(value: Json) -> str:
    """A name for a JSON value that does not depend on the order of its keys."""
    return hashlib.sha256(to_json(_canonical(value))).hexdigest()[:24]


def _canonical(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Loop:
    """A repetition that has gone on for too long."""

    kind: str
    """`identical_calls`, `same_result` or `polls`: the key under breakers.repetition."""
    tool: str
    count: int


@dataclass(slots=True)
class RepetitionLog:
    """All calls of a turn, counted in the three ways in which a loop shows.

    What a failure says of the arguments themselves ("there is no order ORD-7") does not make its
    result another one. A cycle of any length makes each of its calls identical again and again,
    so counting over the turn finds it without looking for the cycle.
    """

    limits: Repetition
    _identical: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _results: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(self, tool: Tool, arguments: JsonObject, result: ToolResult) -> Loop | None:
        """Counts a call with its result; the loop that it completes, if it does."""
        loop = tool.loop
        asked = {key: arguments.get(key) for key in loop.key} if loop.key else arguments
        call = digest(asked)
        outcome = digest(_outcome(arguments, result))
        self._identical[tool.name, call, outcome] += 1
        self._calls[tool.name, call] += 1
        same = self._results.setdefault((tool.name, outcome), set())
        same.add(call)
        count = self._identical[tool.name, call, outcome]
        if count >= (loop.max_identical or self.limits.identical_calls):
            return Loop("identical_calls", tool.name, count)
        # Changing many things gives many equal confirmations; reading must not.
        if not tool.is_mutation and len(same) >= (loop.max_same_result or self.limits.same_result):
            return Loop("same_result", tool.name, len(same))
        polls = self._calls[tool.name, call]
        if polls >= (loop.max_polls or self.limits.polls):
            return Loop("polls", tool.name, polls)
        return None


def _outcome(arguments: JsonObject, result: ToolResult) -> Json:
    outcome = [result.status, result.data, result.message]
    if result.status == "success":
        # Six orders that are all on their way are six answers, and no loop.
        return outcome
    # The longest first, as one value may be a part of another.
    for value in sorted(_texts(arguments), key=len, reverse=True):
        outcome = [_without(part, value) for part in outcome]
    return outcome


def _texts(value: Json) -> set[str]:
    """The texts and numbers in a value, as text, but for those that are found everywhere."""
    if isinstance(value, dict):
        return {text for item in value.values() for text in _texts(item)}
    if isinstance(value, list):
        return {text for item in value for text in _texts(item)}
    text = "" if value is None or isinstance(value, bool) else str(value)
    return {text} if len(text) >= _SHORTEST_ECHO else set()


def _without(value: Json, text: str) -> Json:
    if isinstance(value, dict):
        return {key: _without(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, text) for item in value]
    if isinstance(value, str):
        return value.replace(text, "*")
    return "*" if str(value) == text else value
