"""After each iteration: go on, complete or escalate. A pure function of what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from interlock.model.agent import Agent
from interlock.turn.repetition import Loop

__all__ = ["LIMIT_KEYS", "Decision", "Observation", "observe"]


LIMIT_KEYS: Mapping[str, str] = {
    "tokens": "limits.maxTokens",
    "cost": "limits.maxCostUsd",
    "time": "limits.turnTimeout",
    "spend": "spend",
}
"""The YAML key of each budget; a full context window has none. Of `spend`
the detail names which of its caps it was."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What there is to see after an iteration."""

    iteration: int
    """Iterations done, the first one being 1."""
    shortage: Literal["tokens", "cost", "time", "context", "spend"] | None
    """The budget that is used up, if one is."""
    detail: str | None
    """What did not fit, in words."""
    loop: Loop | None
    failed_iterations: int
    """Iterations in a row, up to now, in which every tool call failed."""
    handed_over: bool
    """Whether the model called for a person."""
    unknown_effect: str | None
    """The mutation of which nobody knows whether it happened, if there is one."""
    unknown_stop: str | None
    """A stop reason that nobody knows, if the model gave one."""
    has_reply: bool
    """Whether the model has written its answer to the customer."""
    awaiting: str | None = None
    """The approval that a tool call waits for, if one does."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens next, and why."""

    action: Literal["continue", "complete", "escalate"]
    reason: str
    """A stable word; `docs/outcomes.md` lists them all."""
    limit: str | None = None
    """The YAML key of the limit that decided."""
    detail: str | None = None


def observe(seen: Observation, agent: Agent) -> Decision:
    """Decides in a fixed order: what needs a person at once, then iterations, budget,
    repetition, failures, end of turn."""
    if seen.handed_over:
        return Decision("escalate", "model_asked")
    if seen.unknown_effect is not None:
        detail = f"{seen.unknown_effect}: it is not known whether it happened"
        return Decision("escalate", "unknown_effect", detail=detail)
    if seen.unknown_stop is not None:
        return Decision("escalate", "unknown_stop_reason", detail=seen.unknown_stop)
    if seen.awaiting is not None:
        return Decision("complete", "approval_pending", detail=seen.awaiting)
    limits, breakers = agent.limits, agent.breakers
    exhausted: Literal["complete", "escalate"] = limits.on_exhausted
    if not seen.has_reply:
        if seen.iteration >= limits.max_iterations:
            detail = f"{seen.iteration} iterations without an answer"
            return Decision(exhausted, "iterations", "limits.maxIterations", detail)
        if seen.shortage is not None:
            return Decision(exhausted, seen.shortage, LIMIT_KEYS.get(seen.shortage), seen.detail)
    if seen.loop is not None:
        loop = seen.loop
        key_name = {
            "identical_calls": "identicalCalls",
            "same_result": "sameResult",
            "polls": "polls",
        }
        detail = f"{loop.tool}: {loop.count} calls ({loop.kind.replace('_', ' ')})"
        limit = f"breakers.repetition.{key_name[loop.kind]}"
        return Decision("escalate", "repetition", limit, detail)
    failures = breakers.tool_failures
    if (
        seen.failed_iterations >= failures.consecutive
        and seen.iteration > failures.after_iteration
        and not seen.has_reply
    ):
        detail = f"every tool call failed in {seen.failed_iterations} iterations in a row"
        return Decision("escalate", "tool_failures", "breakers.toolFailures", detail)
    if seen.has_reply:
        return Decision("complete", "end_turn")
    return Decision("continue", "next")
