"""What the API gives and takes about breakers, as pydantic models."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from interlock.breakers.status import State
from interlock.service.schemas import Schema
from interlock.service.switch_schemas import Why

__all__ = ["BreakerCounts", "BreakerList", "BreakerOperation", "BreakerView"]


class BreakerCounts(Schema):
    """What a breaker judges by; what is null is nothing that it goes by."""

    calls: int | None = None
    """Calls in the window."""
    failures: int | None = None
    """Those of them that failed."""
    conversations: int | None = None
    """Conversations in the window."""
    escalated: int | None = None
    """Those of them that ended with a person."""
    admitted_share: float | None = Field(default=None, examples=[0.5])
    """The share of new conversations that is admitted."""
    hour_usd: str | None = Field(default=None, examples=["12.50"])
    """What the last hour cost."""
    usual_hour_usd: str | None = Field(default=None, examples=["4.10"])
    """What an hour usually costs; null while there is too little to tell."""
    used_usd: str | None = None
    """What is spent and held under a cap."""
    cap_usd: str | None = None
    """The cap."""
    paused_customers: int | None = None
    """Customers that a cap pauses."""


class BreakerView(Schema):
    """One breaker."""

    name: str = Field(examples=["tool.get_order"])
    state: State
    since: datetime | None
    """When it came to be so; null if it has always been."""
    why: str | None
    who: str | None
    """The operator who brought it about; null if it was nobody."""
    next_probe: datetime | None
    """When it is tried or judged again; null if nobody knows, or if it is at any time."""
    held: bool
    """Whether an operator has tripped it; then it stays open until it is reset."""
    disabled: bool
    """Whether an operator has disabled it; then it stops nothing."""
    key: str = Field(examples=["tools.get_order.breaker"])
    """The YAML key that it goes by."""
    counts: BreakerCounts


class BreakerList(Schema):
    """All breakers of the active configuration."""

    breakers: list[BreakerView]


class BreakerOperation(Schema):
    """What an operator does with a breaker."""

    why: Why
    """Operators read it in the list, in alerts and in the log; customers do not."""
