"""The guardrails that come with Interlock, by the name that YAML uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic_core import to_json

from interlock.guardrails.format import Format, FormatSettings
from interlock.guardrails.grounded import Grounded, GroundedSettings
from interlock.guardrails.injection import Injection, InjectionSettings
from interlock.guardrails.max_length import MaxLength, MaxLengthSettings
from interlock.guardrails.pii import Pii, PiiSettings
from interlock.guardrails.policy import Policy, PolicySettings
from interlock.guardrails.scope import Scope, ScopeSettings
from interlock.guardrails.tool_policy import ToolPolicy, ToolPolicySettings
from interlock.model.agent import Agent, GuardrailUse
from interlock.model.base import Document
from interlock.turn.guard import Guardrail, Guards, Use

__all__ = ["GUARDRAILS", "SETTINGS", "GuardrailKind", "build_guardrail", "build_guards"]


@dataclass(frozen=True, slots=True)
class GuardrailKind:
    """A guardrail that can be used by its name."""

    settings: type[Document]
    """What may stand under `with:`."""
    build: Callable[[Any], Guardrail]
    """Makes one from an instance of `settings`."""


GUARDRAILS: Mapping[str, GuardrailKind] = MappingProxyType(
    {
        "format": GuardrailKind(FormatSettings, Format),
        "grounded": GuardrailKind(GroundedSettings, Grounded),
        "injection": GuardrailKind(InjectionSettings, Injection),
        "max_length": GuardrailKind(MaxLengthSettings, MaxLength),
        "pii": GuardrailKind(PiiSettings, Pii),
        "policy": GuardrailKind(PolicySettings, Policy),
        "scope": GuardrailKind(ScopeSettings, Scope),
        "tool_policy": GuardrailKind(ToolPolicySettings, ToolPolicy),
    }
)
"""Each kind by its name."""

SETTINGS: Mapping[str, type[Document]] = MappingProxyType(
    {name: kind.settings for name, kind in GUARDRAILS.items()}
)
"""The settings of each guardrail."""


def build_guards(agent: Agent, kinds: Mapping[str, GuardrailKind] = GUARDRAILS) -> Guards:
    """The agent's guardrails, configured. The names and settings have been checked."""
    declared = agent.guardrails
    return Guards(
        input=_build(declared.input, kinds),
        tool_call=_build(declared.tool_call, kinds),
        tool_result=_build(declared.tool_result, kinds),
        output=_build(declared.output, kinds),
    )


def build_guardrail(
    use: GuardrailUse, kinds: Mapping[str, GuardrailKind] = GUARDRAILS
) -> Guardrail:
    """One guardrail, configured. Its name and settings have been checked."""
    kind = kinds[use.use]
    return kind.build(kind.settings.model_validate_json(to_json(use.with_)))


def _build(uses: tuple[GuardrailUse, ...], kinds: Mapping[str, GuardrailKind]) -> tuple[Use, ...]:
    return tuple(_place(build_guardrail(use, kinds), use) for use in uses)


def _place(guardrail: Guardrail, use: GuardrailUse) -> Use:
    return Use(
        guardrail,
        on_violation=use.on_violation,
        on_error=use.on_error,
        timeout_seconds=use.timeout.total_seconds(),
        # A guardrail that may redact messages says so; others are asked beside the first plan.
        redacts=getattr(guardrail, "redacts", False),
    )
