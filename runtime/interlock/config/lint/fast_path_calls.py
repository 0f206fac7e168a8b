"""Whether the calls of fast paths are ones that their tools take."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from interlock.config.placed import Placed
from interlock.config.validate import Loc
from interlock.diagnostics import Diagnostic, nearest
from interlock.model.agent import Agent
from interlock.model.tool import Tool

__all__ = ["find_unfit_calls"]


def find_unfit_calls(placed: Placed[Agent], tools: Sequence[Tool]) -> Iterator[Diagnostic]:
    """ILK-C030: a call without what the tool requires, or with what it does not know.

    Such a path costs a failed call and then goes on as if there were none, so it only warns.
    """
    known = {tool.name: tool for tool in tools}
    for index, path in enumerate(placed.model.fast_paths):
        tool = known.get(path.call.tool)
        if tool is not None and tool.category != "escalation":
            at: Loc = ("fastPaths", index, "call")
            yield from _missing(placed, tool, path.call.input.keys(), at)
            yield from _unknown(placed, tool, path.call.input.keys(), at)


def _missing(
    placed: Placed[Agent], tool: Tool, given: Collection[str], at: Loc
) -> Iterator[Diagnostic]:
    required = tool.input.get("required")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name not in given:
            yield placed.finding(
                "ILK-C030",
                f"'{tool.name}' requires the input '{name}', which the call does not give",
                at,
                hint=f"add '{name}:' to the call's input",
                severity="warning",
            )


def _unknown(
    placed: Placed[Agent], tool: Tool, given: Collection[str], at: Loc
) -> Iterator[Diagnostic]:
    properties = tool.input.get("properties", {})
    if not isinstance(properties, dict) or _takes_others(tool):
        return
    for name in given:
        if name in properties:
            continue
        place = (*at, "input", name)
        if name in tool.bind:
            message = f"'{name}' is bound by the runtime, so the call must not give it"
            yield placed.finding("ILK-C030", message, place, hint="remove it", severity="warning")
            continue
        close = nearest(name, properties)
        hint = f"did you mean '{close}'?" if close else f"known here: {', '.join(properties)}"
        message = f"the tool '{tool.name}' has no input '{name}'"
        hint = hint if properties else "remove it"
        yield placed.finding("ILK-C030", message, place, hint=hint, severity="warning")


def _takes_others(tool: Tool) -> bool:
    """Whether inputs beside `properties` may pass; left out, `additionalProperties` is false."""
    if tool.input.get("additionalProperties", False) is not False:
        return True
    return "patternProperties" in tool.input
