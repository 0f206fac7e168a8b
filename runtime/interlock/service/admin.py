"""What is running: the agents and the configuration. Secrets are never part of it."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request

from interlock.model.agent import Agent
from interlock.service.access import runtime_of
from interlock.service.money import usd_text
from interlock.service.schemas import AgentLimits, AgentList, AgentView, ConfigFile, ConfigView

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["configuration"])


@router.get("/agents")
async def list_agents(request: Request) -> AgentList:
    """The agents that conversations can be opened with."""
    agents = runtime_of(request).generation.snapshot.agents
    return AgentList(agents=[_agent(agent) for _, agent in sorted(agents.items())])


@router.get("/config")
async def read_config(request: Request) -> ConfigView:
    """The active configuration: its digest and what it is made of."""
    runtime = runtime_of(request)
    snapshot = runtime.generation.snapshot
    files = [
        ConfigFile(path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in sorted(snapshot.files.items())
    ]
    return ConfigView(
        digest=snapshot.digest,
        files=files,
        agents=sorted(snapshot.agents),
        tools=sorted(snapshot.tools),
        active_since=runtime.active_since,
    )


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
