"""Whether a model has too many tools to choose from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from interlock.config.placed import Placed
from interlock.diagnostics import Diagnostic
from interlock.model.agent import Agent
from interlock.model.tool import Category, Tool

__all__ = ["find_crowded_agent", "find_crowded_steps"]

_MOST_OF_AN_AGENT = 7
_MOST_OF_A_STEP = 5
"""With more than this, models begin to choose wrongly."""


def find_crowded_agent(placed: Placed[Agent], tools: Sequence[Tool]) -> Iterator[Diagnostic]:
    """ILK-C018: many tools, and a type of step that rules none of them out."""
    if len(tools) <= _MOST_OF_AN_AGENT:
        return
    for step, categories in placed.model.tool_selection.steps.items():
        if all(tool.category in (*categories, "escalation") for tool in tools):
            yield placed.finding(
                "ILK-C018",
                f"the agent has {len(tools)} tools, and a step of type '{step}' rules none of them"
                " out",
                ("tools",),
                hint="let steps offer fewer categories, or make two agents of this one",
                severity="warning",
            )
            return


def find_crowded_steps(placed: Placed[Agent], tools: Sequence[Tool]) -> Iterator[Diagnostic]:
    """ILK-C019: a step that offers more tools than a model chooses well from."""
    selection = placed.model.tool_selection
    offered = {
        step: _offered(tools, categories, selection.max)
        for step, categories in selection.steps.items()
    }
    step, most = max(offered.items(), key=lambda item: item[1], default=("", 0))
    if most > _MOST_OF_A_STEP:
        at = ("toolSelection", "max")
        yield placed.finding(
            "ILK-C019",
            f"a step of type '{step}' offers {most} tools at once; models choose well from"
            f" {_MOST_OF_A_STEP}",
            at if at in placed.document.places else ("tools",),
            hint=f"set toolSelection.max to {_MOST_OF_A_STEP}: those that fit a step best are kept",
            severity="warning",
        )


def _offered(tools: Sequence[Tool], categories: Collection[Category], most: int) -> int:
    """How many tools the model sees; those that escalate are never left out."""
    escalations = sum(tool.category == "escalation" for tool in tools)
    others = sum(tool.category in categories for tool in tools if tool.category != "escalation")
    return escalations + min(others, max(0, most - escalations))
