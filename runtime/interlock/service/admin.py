"""What is running: the agents and the configuration. Secrets are never part of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from interlock.model.agent import Agent
from interlock.service.access import runtime_of, supervisor_of
from interlock.service.config_schemas import ConfigView
from interlock.service.config_views import config_view
from interlock.service.money import usd_text
from interlock.service.reload import etag
from interlock.service.schemas import AgentLimits, AgentList, AgentView

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["configuration"])


@router.get("/agents")
async def list_agents(request: Request) -> AgentList:
    """The agents that conversations can be opened with."""
    agents = runtime_of(request).generation.snapshot.agents
    return AgentList(agents=[_agent(agent) for _, agent in sorted(agents.items())])


@router.get("/config")
async def read_config(request: Request, response: Response) -> ConfigView:
    """The configuration: what is active, what was rejected and why, what still drains."""
    view = config_view(supervisor_of(request), runtime_of(request).switches.active)
    response.headers["etag"] = etag(view.active.digest)
    return view


def _agent(agent: Agent) -> AgentView:
    limits = agent.limits
    return AgentView(
        name=agent.name,
        description=agent.description,
        tools=list(agent.tools),
        limits=AgentLimits(
            max_iterations=limits.max_iterations,
            max_tokens=limits.max_tokens,
            max_cost_usd=None if agent.max_cost_nano is None else usd_text(agent.max_cost_nano),
            turn_timeout_seconds=limits.turn_timeout.total_seconds(),
            tool_timeout_seconds=limits.tool_timeout.total_seconds(),
        ),
    )
