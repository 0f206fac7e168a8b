"""Which tools the model sees in a step: the step's categories, then the most relevant few."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from interlock.model.plan import Step
from interlock.model.tool import Tool
from interlock.turn.agent import CompiledAgent, CompiledTool

__all__ = ["select_tools", "tool_words", "words"]

_WORD = re.compile(r"[a-z0-9]+")
_FILLERS = (
    "a an and any are as at be by can do does for from get has have if in is it its new not of on"
    " one or should so that the their them then this to up use used user using was what when"
    " where which who will with customer"
)
_COMMON = frozenset(_FILLERS.split())


def words(text: str) -> list[str]:
    """The telling words of a text, in lower case and without a plural s."""
    found = _WORD.findall(text.lower())
    return [_singular(word) for word in found if word not in _COMMON and len(word) > 1]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def tool_words(tool: Tool) -> Mapping[str, int]:
    """A tool's words with the weight of the strongest place in which each stands."""
    weights: dict[str, int] = {}
    for text, weight in ((tool.description, 1), (tool.when_to_use, 2), (tool.name, 3)):
        for word in words(text.replace("_", " ")):
            weights[word] = max(weight, weights.get(word, 0))
    return weights


def select_tools(
    agent: CompiledAgent, step: Step, *, without: Collection[str] = ()
) -> tuple[CompiledTool, ...]:
    """The tools offered in `step`, sorted by name so that prompts stay the same byte for byte.

    Only the step's categories are offered; escalation always is. Of the others, the tools that
    the planner named come first, then the ones whose words fit the step's instruction best.
    Nothing in `without` is offered.
    """
    selection = agent.spec.tool_selection
    allowed = selection.steps.get(step.type, ())
    usable = [tool for name, tool in agent.tools.items() if name not in without]
    escalation = [tool for tool in usable if tool.spec.category == "escalation"]
    others = [
        tool
        for tool in usable
        if tool.spec.category in allowed and tool.spec.category != "escalation"
    ]
    room = max(0, selection.max - len(escalation))
    if len(others) > room:
        others = _ranked(others, step)[:room]
    return tuple(sorted([*others, *escalation], key=lambda tool: tool.spec.name))


def _ranked(tools: Iterable[CompiledTool], step: Step) -> list[CompiledTool]:
    asked = set(words(step.instruction))
    named = {name: place for place, name in enumerate(step.tools)}

    def rank(tool: CompiledTool) -> tuple[int, int]:
        relevance = sum(weight for word, weight in tool.words.items() if word in asked)
        return named.get(tool.spec.name, len(named)), -relevance

    # Sorting is stable: equals stay in the order in which the agent lists them.
    return sorted(tools, key=rank)
