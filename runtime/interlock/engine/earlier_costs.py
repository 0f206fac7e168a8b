"""What was spent before this process began, from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from interlock.breakers.cost_spike import HOUR, MOST_HOURS, CostSpike
from interlock.breakers.spend import Cap, Spend
from interlock.store.store import Store

__all__ = ["count_earlier_costs"]


async def count_earlier_costs(
    store: Store, cost: CostSpike, spend: Spend, *, now: float, forgiven: Mapping[Cap, float]
) -> None:
    """Counts what the ledger holds of the last hours.

    `forgiven` says when an operator has last reset a cap: what was spent before does not count.
    Raises `StoreError`.
    """
    week = datetime.fromtimestamp(now - (MOST_HOURS + 1) * HOUR, UTC)
    for spent in await store.spending(since=week, by_customer=False):
        cost.add(spent.minute.timestamp(), spent.cost_nano)
    waiting = dict(forgiven)
    day = datetime.fromtimestamp(now - 25 * HOUR, UTC)
    for spent in await store.spending(since=day, by_customer=True):
        minute = spent.minute.timestamp()
        # Of the minute in which a cap was forgiven all counts: rather too much than too little.
        for cap in [cap for cap, at in waiting.items() if at < minute + 60]:
            spend.forgive(cap)
            del waiting[cap]
        spend.charge(minute, spent.customer_id, spent.cost_nano)
    for cap in waiting:
        spend.forgive(cap)
