"""Fast paths: a frequent question answered by one fixed tool call and one model call."""

from __future__ import annotations

from interlock.model.base import JsonObject
from interlock.templates import TemplateFault, render_value
from interlock.turn.agent import CompiledAgent, CompiledFastPath
from interlock.turn.run import Run
from interlock.turn.state import ToolCall
from interlock.turn.tool_calls import run_tool_calls

__all__ = ["match_fast_path", "take_fast_path"]


def match_fast_path(agent: CompiledAgent, text: str) -> tuple[CompiledFastPath, JsonObject] | None:
    """The first fast path that the message matches, with the named groups of its pattern."""
    for path in agent.fast_paths:
        if len(text) > path.spec.match.max_characters:
            continue
        for pattern in path.patterns:
            found = pattern.search(text)
            if found is not None:
                return path, found.groupdict(default="")
    return None


async def take_fast_path(run: Run, path: CompiledFastPath, match: JsonObject) -> bool:
    """Makes the path's tool call. False if it gave nothing to answer with: then a plan is due."""
    context = {"match": match, "session": run.request.session}
    call = path.spec.call
    try:
        arguments = {name: render_value(text, context) for name, text in call.input.items()}
    except TemplateFault:
        return False
    run.state.iteration += 1
    made = ToolCall(f"toolu_{path.spec.name}", call.tool, arguments)
    await run_tool_calls(run, [made], text="", offered=[call.tool])
    return run.state.exchanges[-1].results[0].status != "error"
