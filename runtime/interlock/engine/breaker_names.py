"""What breakers are called, and which YAML key each of them goes by."""

from __future__ import annotations

from collections.abc import Collection

from interlock.breakers.spend import CAPS, Cap
from interlock.diagnostics import nearest
from interlock.errors import InterlockError

__all__ = [
    "COST_SPIKE",
    "ESCALATION_RATE",
    "UnknownBreaker",
    "cap_name",
    "cap_of",
    "provider_name",
    "require_breaker",
    "tool_name",
    "yaml_key",
]

ESCALATION_RATE = "escalationRate"
COST_SPIKE = "costSpike"

_MOST_NAMES = 20


class UnknownBreaker(InterlockError):
    """There is no breaker of that name."""

    code = "unknown_breaker"


def tool_name(tool: str) -> str:
    """The breaker of a tool."""
    return f"tool.{tool}"


def provider_name(provider: str) -> str:
    """The breaker of a model server."""
    return f"provider.{provider}"


def cap_name(cap: Cap) -> str:
    """The breaker of a spend cap."""
    return f"spend.{cap}"


def cap_of(name: str) -> Cap | None:
    """The spend cap that a breaker is of, if it is of one."""
    return next((cap for cap in CAPS if cap_name(cap) == name), None)


def yaml_key(name: str) -> str:
    """What an operator changes: a key of interlock.yaml, or of the tool's own document."""
    kind, _, rest = name.partition(".")
    if kind == "tool":
        return f"tools.{rest}.breaker"
    if kind == "provider":
        return "breakers.provider"
    return name if kind == "spend" else f"breakers.{name}"


def require_breaker(name: str, known: Collection[str]) -> None:
    """Raises `UnknownBreaker` with the nearest name if there is no such breaker."""
    if name in known:
        return
    close = nearest(name, known)
    shown = ", ".join(sorted(known)[:_MOST_NAMES]) + (", ..." if len(known) > _MOST_NAMES else "")
    way = f"did you mean '{close}'?" if close else f"there are: {shown}"
    raise UnknownBreaker(f"there is no breaker '{name}'; {way}")
