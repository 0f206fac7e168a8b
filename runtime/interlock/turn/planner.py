"""Asking the cheap model for a plan."""

from __future__ import annotations

from interlock.model.plan import Plan
from interlock.turn.model_call import call_model
from interlock.turn.plan import InvalidPlan, parse_plan
from interlock.turn.prompts import plan_prompt
from interlock.turn.reply import Truncated, read_reply, reply_text
from interlock.turn.run import ModelUnavailable, Run

__all__ = ["make_plan"]

_ATTEMPTS = 2


async def make_plan(run: Run) -> Plan | None:
    """The planner's plan, or None when it gave no valid one, however it was asked.

    Raises what `call_model` raises, and `Refusal`; but a planner that cannot take such
    requests at all only costs its plan.
    """
    problem: str | None = None
    for _ in range(_ATTEMPTS):
        prompt = plan_prompt(run.agent, run.request, run.state, problem=problem)
        try:
            reply = await call_model(run, prompt)
        except ModelUnavailable as failure:
            if failure.kind not in ("rejected", "malformed"):
                raise
            _trace_problem(run, f"{failure.kind}: {failure}")
            return None
        cut = isinstance(read_reply(reply), Truncated)
        try:
            plan = parse_plan(reply_text(reply.content))
        except InvalidPlan as error:
            problem = "the plan was cut off: write a shorter one" if cut else str(error)
            _trace_problem(run, problem)
            continue
        run.trace.emit(
            "plan",
            {"steps": [step.model_dump(mode="json") for step in plan.steps]},
            iteration=run.state.iteration,
        )
        return plan
    return None


def _trace_problem(run: Run, problem: str) -> None:
    run.trace.emit("plan", {"invalid": problem}, iteration=run.state.iteration)
