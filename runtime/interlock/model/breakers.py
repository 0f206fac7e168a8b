"""What stops damage beyond one conversation, as declared by `interlock.yaml` and by tools."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from interlock.model.base import Document, Duration
from interlock.model.webhook import Webhook

__all__ = [
    "Alerts",
    "Breakers",
    "CostSpikeBreaker",
    "EscalationRateBreaker",
    "ProviderBreaker",
    "SpendCaps",
    "ToolBreaker",
]

Share = Annotated[float, Field(gt=0, le=1)]
CapUsd = Annotated[Decimal, Field(gt=0)]


class ToolBreaker(Document):
    """When calls of a tool that mostly fails are not made any more."""

    error_rate: Share = 0.5
    """The share of the window's calls that must fail."""
    min_calls: Annotated[int, Field(ge=1)] = 10
    """Of fewer calls in the window nothing is said."""
    window: Duration = timedelta(seconds=60)
    """How far back calls count."""
    open_for: Duration = timedelta(seconds=30)
    """How long no call is made; each time that a probe fails it is twice as long."""
    max_open_for: Duration = timedelta(minutes=10)
    """The longest that no call is made without a probe."""
    probes: Annotated[int, Field(ge=1, le=100)] = 1
    """How many calls must succeed before all are made again."""


class ProviderBreaker(Document):
    """When calls of a model server that is overloaded wait or are not made."""

    error_rate: Share = 0.5
    """The share of the window's calls that must fail."""
    min_calls: Annotated[int, Field(ge=1)] = 10
    """Of fewer calls in the window nothing is said; who asks to wait is heeded at once."""
    window: Duration = timedelta(seconds=30)
    """How far back calls count."""
    open_for: Duration = timedelta(seconds=5)
    """How long no call is made; each time that a probe fails it is twice as long."""
    max_open_for: Duration = timedelta(minutes=2)
    """The longest that no call is made without a probe, whatever the server asks for."""
    probes: Annotated[int, Field(ge=1, le=100)] = 1
    """How many calls must succeed before all are made again."""


class EscalationRateBreaker(Document):
    """When so many conversations end with a person that fewer new ones are admitted."""

    above: Share = 0.2
    """A larger share of the window's conversations halves how many new ones are admitted."""
    recover_below: Share = 0.1
    """Admission recovers while the share is not larger than this."""
    min_conversations: Annotated[int, Field(ge=1)] = 20
    """Of fewer conversations in the window nothing is said."""
    window: Duration = timedelta(minutes=30)
    """How far back conversations count."""
    floor: Share = 0.1
    """The share of new conversations that is admitted however often it trips."""
    recover_step: Share = 0.1
    """By how much the admitted share grows at a time."""
    recover_every: Duration = timedelta(minutes=5)
    """How long each step of the recovery takes."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.recover_below > self.above:
            raise PydanticCustomError("order", "'recoverBelow' must not be more than 'above'")
        return self


class CostSpikeBreaker(Document):
    """When an hour costs so much more than usual that new conversations wait."""

    factor: Annotated[float, Field(gt=1)] = 2.0
    """The last hour may cost this many times the median of earlier hours."""
    recover_below: Annotated[float, Field(gt=0)] = 1.5
    """New conversations are taken again when it costs no more than this many times the median."""
    hours: Annotated[int, Field(ge=1, le=168)] = 24
    """How many earlier hours the median is made of; those without any cost are left out."""
    min_hours: Annotated[int, Field(ge=1, le=168)] = 6
    """With fewer such hours nothing is said."""
    min_usd: CapUsd = Field(default=Decimal(5), examples=[5])
    """Of an hour that cost less nothing is said."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.recover_below > self.factor:
            raise PydanticCustomError("order", "'recoverBelow' must not be more than 'factor'")
        if self.min_hours > self.hours:
            raise PydanticCustomError("order", "'minHours' must not be more than 'hours'")
        return self


class Breakers(Document):
    """What stops damage in the service as a whole."""

    escalation_rate: EscalationRateBreaker = EscalationRateBreaker()
    """Fewer new conversations while too many end with a person."""
    cost_spike: CostSpikeBreaker = CostSpikeBreaker()
    """No new conversations while the service costs far more than usual."""
    provider: ProviderBreaker = ProviderBreaker()
    """Fewer calls of a model server that is overloaded; each server has a breaker of its own."""


class SpendCaps(Document):
    """What model calls may cost in any hour or any 24 hours; without a limit where left out."""

    per_hour_usd: CapUsd | None = Field(default=None, examples=[20])
    """All model calls of an hour."""
    per_day_usd: CapUsd | None = Field(default=None, examples=[200])
    """All model calls of 24 hours."""
    per_customer_per_hour_usd: CapUsd | None = Field(default=None, examples=[1])
    """The model calls for one customer in an hour."""
    per_customer_per_day_usd: CapUsd | None = Field(default=None, examples=[5])
    """The model calls for one customer in 24 hours."""


class Alerts(Document):
    """Who hears of a breaker that opens or closes. The log always does."""

    webhook: Webhook | None = None
    """Where alerts are sent."""
