"""Plans: reading what the planner wrote, what to do without one, and what may be dropped."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from interlock.model.plan import Plan, Step

__all__ = ["InvalidPlan", "default_plan", "parse_plan", "required_steps"]

_RESPOND = Step(type="respond", instruction="Answer the customer with what is known now.")


class InvalidPlan(Exception):
    """The planner's text is not a plan; the message says why, for the planner and the trace."""


def parse_plan(text: str) -> Plan:
    """The plan in a planner's reply. Raises `InvalidPlan`."""
    stripped = text.strip()
    if stripped.startswith("```"):
        # Servers without structured output like to put a fence around their JSON.
        stripped = stripped.strip("`").removeprefix("json").strip()
    try:
        plan = Plan.model_validate_json(stripped)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidPlan(f"{where}: {first['msg']}" if where else first["msg"]) from error
    return plan if plan.steps[-1].type in ("respond", "escalate") else _ended(plan)


def default_plan(text: str) -> Plan:
    """What to do when no valid plan is to be had: look things up, then answer."""
    lookup = Step(
        type="gather_info", instruction=f"Look up what is needed to answer: {text[:1500]}"
    )
    return Plan(steps=(lookup, _RESPOND))


def required_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that a low budget leaves; never nothing."""
    return tuple(step for step in steps if step.priority == "required") or (_RESPOND,)


def _ended(plan: Plan) -> Plan:
    return plan.model_copy(update={"steps": (*plan.steps, _RESPOND)})
