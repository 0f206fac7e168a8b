"""The guardrails that come with Interlock, by the name that YAML uses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic_core import to_json

from interlock.guardrails.max_length import MaxLength, MaxLengthSettings
from interlock.model.agent import Agent, GuardrailUse
from interlock.model.base import Document
from interlock.turn.guard import Guardrail, Guards

__all__ = ["SETTINGS", "build_guards"]

SETTINGS: Mapping[str, type[Document]] = MappingProxyType({"max_length": MaxLengthSettings})
"""The settings of each guardrail."""


def build_guards(agent: Agent) -> Guards:
    """The agent's guardrails, configured. The names and settings have been checked."""
    declared = agent.guardrails
    return Guards(
        input=_build(declared.input),
        tool_call=_build(declared.tool_call),
        tool_result=_build(declared.tool_result),
        output=_build(declared.output),
    )


def _build(uses: tuple[GuardrailUse, ...]) -> tuple[Guardrail, ...]:
    return tuple(
        MaxLength(MaxLengthSettings.model_validate_json(to_json(use.with_))) for use in uses
    )
