"""What all parts of one running turn share: the port, the agent, the budget, the state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from interlock.model.turn import Spent, TurnRequest
from interlock.turn.agent import CompiledAgent
from interlock.turn.budget import Budget
from interlock.turn.ports import Ctx
from interlock.turn.repetition import RepetitionLog
from interlock.turn.state import TurnState
from interlock.turn.trace import Recorder

__all__ = ["LimitReached", "ModelUnavailable", "Run", "new_budget", "start_run"]

_LANDING_SHARE = 0.2
_LANDING_MOST = timedelta(seconds=10)


class LimitReached(Exception):
    """A model call does not fit into what is left."""

    def __init__(
        self, kind: Literal["tokens", "cost", "time", "context", "spend"], detail: str
    ) -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(detail)


class ModelUnavailable(Exception):
    """A model gave no answer, however often it was asked. `kind` is that of the last failure."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@dataclass(slots=True)
class Run:
    """One turn under way."""

    ctx: Ctx
    agent: CompiledAgent
    request: TurnRequest
    budget: Budget
    trace: Recorder
    state: TurnState
    started: datetime
    work_until: datetime
    """No new work after this, so that a last answer is still possible."""
    deadline: datetime
    """The end of `limits.turnTimeout`."""
    sizes: dict[tuple[str, ...], tuple[int, int]]
    """(bytes, tokens) of the last request by model and tools, for estimates."""

    def seconds_left(self, *, final: bool = False) -> float:
        """The time until the deadline that holds, which may be negative."""
        until = self.deadline if final else self.work_until
        return (until - self.ctx.now()).total_seconds()


def new_budget(agent: CompiledAgent, spent: Spent) -> Budget:
    """What is left to a conversation with the agent that has used `spent`."""
    limits = agent.spec.limits
    price = agent.routes["execute"].price
    # The reserve in money: the whole reserve at the dearest rate of the answering model.
    reserve_cost = max(
        (price.worst(limits.reserve_for_final, 0), price.worst(0, limits.reserve_for_final))
        if price
        else (0,)
    )
    return Budget(
        max_tokens=limits.max_tokens,
        max_cost_nano=agent.spec.max_cost_nano,
        reserve_tokens=limits.reserve_for_final,
        reserve_cost_nano=reserve_cost,
        spent=spent,
    )


def start_run(ctx: Ctx, agent: CompiledAgent, request: TurnRequest) -> Run:
    """A turn that has not done anything yet."""
    limits = agent.spec.limits
    started = ctx.now()
    landing = min(limits.turn_timeout * _LANDING_SHARE, _LANDING_MOST)
    return Run(
        ctx=ctx,
        agent=agent,
        request=request,
        budget=new_budget(agent, request.spent),
        trace=Recorder(ctx, agent, request),
        state=TurnState(RepetitionLog(agent.spec.breakers.repetition)),
        started=started,
        work_until=started + limits.turn_timeout - landing,
        deadline=started + limits.turn_timeout,
        sizes={},
    )
