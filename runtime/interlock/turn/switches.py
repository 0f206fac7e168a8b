"""Emergency switches as a turn sees them: an operator's word counts from one step to the next.

They are no part of the configuration, so a turn heeds them whatever generation it is pinned to.
"""

from __future__ import annotations

from interlock.model.base import JsonObject
from interlock.turn.run import Run

__all__ = ["AgentOff", "read_switches", "stop_if_off"]


class AgentOff(Exception):
    """An operator has switched the agent off: the turn does nothing more."""


async def read_switches(run: Run) -> None:
    """Notes in the state what is off now, and traces what was not off before."""
    state, name = run.state, run.agent.spec.name
    found = await run.ctx.switches()
    if found["agent"] is not None and not state.agent_off:
        _trace(run, f"switches.agents.{name}", found["agent"], breaker="agent_disabled")
    tools = found["tools"]
    off = frozenset(tools.keys() & run.agent.tools.keys())
    for tool in sorted(off - state.tools_off):
        _trace(run, f"switches.tools.{tool}", tools[tool], breaker="tool_disabled")
    state.agent_off, state.tools_off = found["agent"] is not None, off


async def stop_if_off(run: Run) -> None:
    """The same. Raises `AgentOff` if the agent is off."""
    await read_switches(run)
    if run.state.agent_off:
        raise AgentOff


def _trace(run: Run, limit: str, switch: JsonObject, *, breaker: str) -> None:
    by = f" (by {switch['who']})" if switch["who"] else ""
    data: JsonObject = {"breaker": breaker, "limit": limit, "detail": f"{switch['why']}{by}"}
    run.trace.emit("breaker", {**data, **switch}, iteration=run.state.iteration)
