"""From the settings of breakers, as YAML declares them, to the policies that they go by."""

from __future__ import annotations

from decimal import Decimal

from interlock.breakers.breaker import Policy
from interlock.breakers.cost_spike import CostSpikePolicy
from interlock.breakers.escalation_rate import EscalationPolicy
from interlock.breakers.spend import Caps
from interlock.model.base import NANO
from interlock.model.breakers import (
    CostSpikeBreaker,
    EscalationRateBreaker,
    ProviderBreaker,
    SpendCaps,
    ToolBreaker,
)

__all__ = ["call_policy", "cost_policy", "escalation_policy", "spend_caps"]


def call_policy(declared: ToolBreaker | ProviderBreaker) -> Policy:
    """Of a tool or of a model server."""
    return Policy(
        error_rate=declared.error_rate,
        min_calls=declared.min_calls,
        window=declared.window.total_seconds(),
        open_for=declared.open_for.total_seconds(),
        max_open_for=declared.max_open_for.total_seconds(),
        probes=declared.probes,
    )


def escalation_policy(declared: EscalationRateBreaker) -> EscalationPolicy:
    """Of the escalation rate."""
    return EscalationPolicy(
        above=declared.above,
        recover_below=declared.recover_below,
        min_conversations=declared.min_conversations,
        window=declared.window.total_seconds(),
        floor=declared.floor,
        recover_step=declared.recover_step,
        recover_every=declared.recover_every.total_seconds(),
    )


def cost_policy(declared: CostSpikeBreaker) -> CostSpikePolicy:
    """Of the cost spike."""
    return CostSpikePolicy(
        factor=declared.factor,
        recover_below=declared.recover_below,
        hours=declared.hours,
        min_hours=declared.min_hours,
        min_nano=_nano(declared.min_usd),
    )


def spend_caps(declared: SpendCaps) -> Caps:
    """The caps that are declared, in nano-dollars."""
    usd: dict[str, Decimal | None] = declared.model_dump(by_alias=True)
    caps: Caps = {
        "perHourUsd": _nano(usd["perHourUsd"]),
        "perDayUsd": _nano(usd["perDayUsd"]),
        "perCustomerPerHourUsd": _nano(usd["perCustomerPerHourUsd"]),
        "perCustomerPerDayUsd": _nano(usd["perCustomerPerDayUsd"]),
    }
    return {cap: most for cap, most in caps.items() if usd[cap] is not None}


def _nano(amount: Decimal | None) -> int:
    return 0 if amount is None else int(amount * NANO)
