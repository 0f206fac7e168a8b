"""Plans: what the planner wants next, and the JSON Schema that it answers in."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from interlock.model.base import JsonObject

__all__ = ["MAX_STEPS", "PLAN_SCHEMA", "Plan", "Step", "StepType"]

StepType = Literal["gather_info", "take_action", "escalate", "respond"]

MAX_STEPS = 12
"""Steps in one plan; a longer one is a planner that lost its way."""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Step(BaseModel):
    """One step of a plan."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: StepType
    instruction: _Text
    tools: tuple[str, ...] = ()
    """The tools that the planner expects to be used; names it made up are ignored."""
    priority: Literal["required", "optional"] = "required"
    """Optional steps are dropped when the budget runs low."""
    hard: bool = False
    """A hard step is executed on the `reason` route."""


class Plan(BaseModel):
    """The steps still to take, in order; the last one answers the customer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MAX_STEPS)]


PLAN_SCHEMA: JsonObject = {
    "title": "Plan",
    "type": "object",
    "properties": {
        "steps": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": list(get_args(StepType))},
                    "instruction": {"type": "string"},
                    "tools": {"type": "array", "items": {"type": "string"}},
                    "priority": {"type": "string", "enum": ["required", "optional"]},
                    "hard": {"type": "boolean"},
                },
                "required": ["type", "instruction", "tools", "priority", "hard"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["steps"],
    "additionalProperties": False,
}
"""The schema for structured output, in the subset that providers enforce."""
