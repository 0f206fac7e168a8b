"""Whether a model can tell from their descriptions which of an agent's tools is the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from interlock.config.placed import Placed
from interlock.diagnostics import Diagnostic
from interlock.memo import remembered
from interlock.model.agent import Agent
from interlock.model.tool import Tool

__all__ = ["find_alike_tools", "find_missing_limits_of_use"]

_ALIKE = 0.7
"""The share of words that two descriptions have in common from which they count as alike."""

_WORD = re.compile(r"[^\W_]+")
_FILLER_WORDS = (
    "a an and any are as at be by can do does for from has have if in is it its not of on "
    "one or should so that the their them then this to use used user using was what when "
    "where which who will with customer"
)
_FILLERS = frozenset(_FILLER_WORDS.split())


def find_alike_tools(placed: Placed[Agent], tools: Sequence[Tool]) -> Iterator[Diagnostic]:
    """ILK-C020: two tools with nearly the same words, neither of which names the other."""
    said = tuple(
        _Said(tool.name, tool.description, tool.when_to_use, tool.when_not_to_use or "")
        for tool in tools
    )
    for first, second in _alike_pairs(said):
        yield placed.finding(
            "ILK-C020",
            f"'{first}' and '{second}' are described in nearly the same words",
            ("tools", placed.model.tools.index(second)),
            hint="say in whenNotToUse when the other one is the right tool, and name it there",
            severity="warning",
        )


def find_missing_limits_of_use(placed: Placed[Tool]) -> Iterator[Diagnostic]:
    """ILK-C021: a tool without `whenNotToUse`."""
    if not (placed.model.when_not_to_use or "").strip():
        yield placed.finding(
            "ILK-C021",
            f"the tool '{placed.model.name}' does not say when it must not be used",
            ("whenToUse",),
            hint="add 'whenNotToUse:' and name what is to be used instead",
            severity="warning",
        )


class _Said(NamedTuple):
    """What the model reads about a tool."""

    name: str
    description: str
    when: str
    when_not: str


@remembered
def _alike_pairs(tools: tuple[_Said, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (first.name, second.name)
        for first, second in combinations(tools, 2)
        if _are_alike(first, second) and not (_names(first, second) or _names(second, first))
    )


def _are_alike(first: _Said, second: _Said) -> bool:
    one, other = (f"{tool.description} {tool.when}" for tool in (first, second))
    return max(_likeness(one, other), _likeness(first.when, second.when)) >= _ALIKE


def _likeness(first: str, second: str) -> float:
    """The words that both texts have, as a share of those that either has."""
    one, other = _words(first), _words(second)
    return len(one & other) / len(one | other) if one | other else 1.0


@remembered
def _words(text: str) -> frozenset[str]:
    words = (word.removesuffix("s") for word in _WORD.findall(text.lower()))
    return frozenset(word for word in words if word not in _FILLERS)


def _names(tool: _Said, other: _Said) -> bool:
    return any(re.search(rf"(?<![\w-]){re.escape(other.name)}(?![\w-])", text) for text in tool[1:])
