"""Our own plugins, which are registered and called like those of others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interlock.guardrails import GUARDRAILS, GuardrailKind
from interlock.hooks.loading import BuiltIn
from interlock.hooks.sinks import Sinks
from interlock.hooks.specs import hookimpl

__all__ = ["GUARDRAILS_NAME", "SINKS_NAME", "built_in_plugins"]

GUARDRAILS_NAME, SINKS_NAME = "builtin-guardrails", "builtin-sinks"


class _Guardrails:
    interlock_api = 1

    @hookimpl
    def register_guardrails(self) -> Mapping[str, GuardrailKind]:
        return GUARDRAILS


def built_in_plugins(project: Path) -> tuple[BuiltIn, ...]:
    """The plugins that come with Interlock; `project` is what paths are relative to."""
    return BuiltIn(GUARDRAILS_NAME, _Guardrails()), BuiltIn(SINKS_NAME, Sinks(project))
