"""A message to a conversation that a person has: kept for them, and no model is asked."""

from __future__ import annotations

from interlock.model.base import JsonObject
from interlock.model.turn import TurnRequest, TurnResult
from interlock.turn.agent import CompiledAgent
from interlock.turn.ending import Ending, finish
from interlock.turn.ports import Ctx
from interlock.turn.run import start_run

__all__ = ["leave_to_person"]


def leave_to_person(
    ctx: Ctx, agent: CompiledAgent, request: TurnRequest, escalation: JsonObject
) -> TurnResult:
    """Ends the turn at once: the customer hears that a person has the message."""
    run = start_run(ctx, agent, request)
    run.trace.emit("escalation", escalation, iteration=0)
    reply = agent.spec.escalation.waiting
    return finish(run, Ending("escalated", reply, "with_person", escalation))
