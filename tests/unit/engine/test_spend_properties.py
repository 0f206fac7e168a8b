"""Whatever models say, and however many turns run at once, no budget and no cap is passed."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.cost.prices import price_of
from interlock.engine.breakers import Breakers
from interlock.engine.guarded import guard_services
from interlock.engine.memory import Effects, MemoryCtx
from interlock.engine.steps import Services
from interlock.model.base import NANO, JsonObject
from interlock.model.result import ToolResult
from interlock.model.turn import TurnRequest
from interlock.store.store import Store
from interlock.turn.agent import CompiledAgent
from interlock.turn.loop import run_turn
from interlock.turn.ports import LedgerEntry, ModelFailure, ModelReply
from tests.unit.engine.world import NOW, snapshot
from tests.unit.turn.scripted import SETTINGS, compiled
from tests.unit.turn.test_adversary import MOVES, RESULTS, Adversary

FAST = "providers:\n  anthropic: {retry: {attempts: 2, delay: 1ms, maxDelay: 1ms}, "
SMALL = SETTINGS.replace("maxTokens: 1000", "maxTokens: 400").replace(
    "providers:\n  anthropic: {", FAST
)
AGENT = compiled(
    "limits: {maxIterations: 6, maxTokens: 9000, maxCostUsd: 0.05, turnTimeout: 5s}",
    settings=SMALL,
)
NO_WAITING = sorted(MOVES.keys() - {"slow down"})


class Forgetful:
    """A store that keeps nothing."""

    def record_breaker(self, name: str, status: JsonObject) -> None:
        """Hears of it."""


class Model:
    """Answers after others have had a chance to ask."""

    def __init__(self, adversary: Adversary) -> None:
        self.adversary = adversary

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply | ModelFailure:
        await asyncio.sleep(0)
        return self.adversary(body)


class Tools:
    """Gives its results in turn."""

    def __init__(self, results: list[ToolResult]) -> None:
        self.results = itertools.cycle(results)

    async def call(self, name: str, input: JsonObject, **_: Any) -> ToolResult:
        await asyncio.sleep(0)
        return next(self.results)


def request(number: int) -> TurnRequest:
    """A message of one of two customers."""
    customer = f"CUST-{number % 2}"
    return TurnRequest(
        turn_id=f"turn_{number}",
        conversation_id=f"conv_{number}",
        customer_id=customer,
        session={"customerId": customer},
        text="Where is my order?",
    )


async def play(agent: CompiledAgent, breakers: Breakers, world: Services, turns: int) -> list[Any]:
    """Runs turns at the same time; what all of them were charged."""
    charged: list[LedgerEntry] = []

    async def one(number: int) -> None:
        asked = request(number)
        services = guard_services(
            world,
            breakers,
            customer_id=asked.customer_id,
            price_of=partial(price_of, overrides={}),
        )
        ctx = MemoryCtx(
            services,
            effects=Effects(),
            on_event=lambda event: None,
            on_cost=charged.append,
            switches=lambda: {"agent": None, "tools": {}},
        )
        result = await run_turn(ctx, agent, asked)
        assert result.reply

    await asyncio.gather(*(one(number) for number in range(turns)))
    return charged


@settings(max_examples=60, deadline=None)
@given(
    moves=st.lists(st.sampled_from(NO_WAITING), min_size=1, max_size=10),
    outputs=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=4),
    density=st.sampled_from([0.1, 1 / 3]),
    results=st.lists(st.sampled_from(RESULTS), min_size=1, max_size=4),
    turns=st.integers(1, 8),
    hour=st.sampled_from([0.01, 0.03, 0.1]),
    customer=st.sampled_from([0.004, 0.02, 0.1]),
)
def test_no_model_makes_turns_pass_a_budget_or_a_cap(
    moves: list[str],
    outputs: list[float],
    density: float,
    results: list[ToolResult],
    turns: int,
    hour: float,
    customer: float,
) -> None:
    config = snapshot(
        f"spend: {{perHourUsd: {hour}, perCustomerPerHourUsd: {customer}}}\n"
        "breakers: {provider: {minCalls: 10000}}"
    )
    breakers = Breakers(cast(Store, Forgetful()), lambda: config, clock=lambda: NOW)
    world = Services(
        {"anthropic": Model(Adversary(moves, outputs, density, cached=0))}, Tools(results)
    )
    charged = asyncio.run(play(AGENT, breakers, world, turns))
    assert sum(entry.cost_nano or 0 for entry in charged) <= hour * NANO
    for one in ("CUST-0", "CUST-1"):
        spent = sum(entry.cost_nano or 0 for entry in charged if entry.customer_id == one)
        assert spent <= customer * NANO
    for number in range(turns):
        mine = [entry for entry in charged if entry.turn_id == f"turn_{number}"]
        assert sum(entry.cost_nano or 0 for entry in mine) <= 0.05 * NANO
        assert sum(entry.usage.total for entry in mine) <= 9000
    # Nothing stays held: what is counted as used is what was charged, or more for broken calls.
    used = breakers.counts("spend.perHourUsd")["usedNano"]
    assert used >= sum(entry.cost_nano or 0 for entry in charged)
