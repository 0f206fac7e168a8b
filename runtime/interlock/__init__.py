"""Interlock runs AI agents that are declared in YAML: bounded, honest, and changeable live.

Beside the version, this is what plugins are written with. Nothing else is for them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interlock.config.snapshot import Snapshot
    from interlock.diagnostics import Diagnostic, Location
    from interlock.guardrails import GuardrailKind
    from interlock.hooks.data import (
        GenerationInfo,
        GuardContext,
        PluginSettings,
        ReloadInfo,
        Sink,
        SinkKind,
    )
    from interlock.hooks.specs import hookimpl
    from interlock.model.base import SecretRef
    from interlock.model.event import TraceEvent
    from interlock.turn.guard import (
        Deny,
        Evidence,
        Guardrail,
        GuardrailInput,
        Judge,
        NoVerdict,
        Redact,
    )

__all__ = [
    "Deny",
    "Diagnostic",
    "Evidence",
    "GenerationInfo",
    "GuardContext",
    "Guardrail",
    "GuardrailInput",
    "GuardrailKind",
    "Judge",
    "Location",
    "NoVerdict",
    "PluginSettings",
    "Redact",
    "ReloadInfo",
    "SecretRef",
    "Sink",
    "SinkKind",
    "Snapshot",
    "TraceEvent",
    "__version__",
    "hookimpl",
]

__version__ = version("interlock-runtime")

_PLACES = {
    "config.snapshot": ("Snapshot",),
    "diagnostics": ("Diagnostic", "Location"),
    "guardrails": ("GuardrailKind",),
    "hooks.data": (
        *("GenerationInfo", "GuardContext", "PluginSettings"),
        *("ReloadInfo", "Sink", "SinkKind"),
    ),
    "hooks.specs": ("hookimpl",),
    "model.base": ("SecretRef",),
    "model.event": ("TraceEvent",),
    "turn.guard": (
        *("Deny", "Evidence", "Guardrail", "GuardrailInput"),
        *("Judge", "NoVerdict", "Redact"),
    ),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Loads what plugins are written with when it is asked for: a command may not need it."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'interlock' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"interlock.{module}"), name)
    return value
