"""Whether a mutation waits for a person's yes, and what the turn makes of the decision."""

from __future__ import annotations

from interlock.model.base import Json, JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import Approval
from interlock.templates import TemplateFault, render_value
from interlock.turn.agent import CompiledTool
from interlock.turn.run import Run

__all__ = ["ask_person", "needs_approval"]

_NO = frozenset({"", "false", "no", "none", "0"})


def needs_approval(approval: Approval | None, arguments: JsonObject, session: JsonObject) -> bool:
    """Whether a call with these arguments waits. It does if the condition cannot be told."""
    if approval is None:
        return False
    try:
        value: Json = render_value(approval.when, {"input": arguments, "session": session})
    except TemplateFault:
        return True
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)


async def ask_person(
    run: Run, tool: CompiledTool, *, written: JsonObject, arguments: JsonObject, key: str
) -> ToolResult:
    """What came of the call, by a person's decision; or that it still waits for one.

    `written` is the input as the model wrote it, `arguments` has the bound values too.
    """
    approval = tool.spec.approval
    assert approval is not None
    wait = 0.0 if approval.wait is None else approval.wait.total_seconds()
    answer = await run.ctx.ask(
        key,
        {
            "tool": tool.spec.name,
            "input": written,
            "arguments": arguments,
            "why": approval.why,
            "waitSeconds": max(0.0, min(wait, run.seconds_left())),
            "expiresSeconds": approval.expires.total_seconds(),
            "timeoutSeconds": tool.timeout_seconds,
        },
    )
    data = {"id": answer["id"], "tool": tool.spec.name, "state": answer["state"]}
    run.trace.emit("approval", data, iteration=run.state.iteration)
    if answer["result"] is not None:
        return ToolResult.from_json(answer["result"])
    run.state.awaiting = answer["id"]
    name = tool.spec.name
    return ToolResult.error(f"'{name}' waits for a colleague's yes: nothing was done yet")
