"""Emergency switches: an agent or a tool is off at once, for running turns too, until lifted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from interlock.engine.switches import require_declared
from interlock.runtime import Runtime
from interlock.service.access import runtime_of, who_asks
from interlock.service.bodies import body_of, read_body
from interlock.service.openapi import problems
from interlock.service.schemas import SwitchView
from interlock.service.switch_schemas import NewSwitch, NewToolSwitch, SwitchList
from interlock.service.views import switch_views
from interlock.store.records import SwitchKind

__all__ = ["router"]

router = APIRouter(prefix="/v1/switches", tags=["switches"])

_PUT = problems(400, 404, 413, 415, 422, 503)
_DELETE = problems(404, 422, 503)


@router.get("")
async def list_switches(request: Request) -> SwitchList:
    """All that is switched off, by whom and why."""
    switches = runtime_of(request).switches
    await switches.load()
    return SwitchList(switches=switch_views(switches.active))


@router.put("/agents/{name}", responses=_PUT, openapi_extra=body_of(NewSwitch))
async def disable_agent(request: Request, name: str) -> SwitchView:
    """Switches an agent off: it takes no messages, and its running turns end at their next step.

    What is off already stays as it was.
    """
    body = await read_body(request, NewSwitch)
    return await _disable(request, "agent", name, agent=None, why=body.why)


@router.put("/tools/{name}", responses=_PUT, openapi_extra=body_of(NewToolSwitch))
async def disable_tool(request: Request, name: str) -> SwitchView:
    """Switches a tool off, for all agents or for one: no model sees it, no call is carried out.

    What is off already stays as it was.
    """
    body = await read_body(request, NewToolSwitch)
    return await _disable(request, "tool", name, agent=body.agent, why=body.why)


@router.delete("/agents/{name}", status_code=204, responses=_DELETE)
async def enable_agent(request: Request, name: str) -> None:
    """Switches an agent on again. Nothing happens if it is on."""
    await _enable(request, "agent", name, agent=None)


@router.delete("/tools/{name}", status_code=204, responses=_DELETE)
async def enable_tool(
    request: Request,
    name: str,
    agent: Annotated[
        str | None, Query(description="The agent that it was switched off for, if only for one.")
    ] = None,
) -> None:
    """Switches a tool on again. Nothing happens if it is on."""
    await _enable(request, "tool", name, agent=agent)


async def _disable(
    request: Request, kind: SwitchKind, name: str, *, agent: str | None, why: str
) -> SwitchView:
    # Also while the service is stopping: its last turns may be the ones to be stopped.
    runtime = runtime_of(request)
    _require(runtime, kind, name, agent=agent)
    switch = await runtime.switches.disable(kind, name, agent=agent, who=who_asks(request), why=why)
    return switch_views([switch])[0]


async def _enable(request: Request, kind: SwitchKind, name: str, *, agent: str | None) -> None:
    runtime = runtime_of(request)
    lifted = await runtime.switches.enable(kind, name, agent=agent, who=who_asks(request))
    if lifted is None:
        # What is off can be lifted even if it is declared no more; a typing error is told.
        _require(runtime, kind, name, agent=agent)


def _require(runtime: Runtime, kind: SwitchKind, name: str, *, agent: str | None) -> None:
    """Raises `NotDeclared` if neither the active configuration nor one that drains has it."""
    agents: dict[str, set[str]] = {}
    tools: set[str] = set()
    generations = runtime.generations
    for held in (generations.active, *generations.draining):
        snapshot = held.generation.snapshot
        tools |= snapshot.tools.keys()
        for declared in snapshot.agents.values():
            agents.setdefault(declared.name, set()).update(declared.tools)
    require_declared(kind, name, agent=agent, agents=agents, tools=tools)
