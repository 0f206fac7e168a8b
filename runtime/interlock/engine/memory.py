"""The `Ctx` port in memory: nothing survives the process but what the store has."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from interlock.engine.steps import STEPS, Services
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.result import ToolResult
from interlock.turn.ports import LedgerEntry, StepName

__all__ = ["Effects", "MemoryCtx", "carry_out"]

_MOST_EFFECTS = 10_000


class Effects:
    """The results of mutations by the name of what they did, the latest ten thousand."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, JsonObject] = OrderedDict()

    def get(self, key: str) -> JsonObject | None:
        """The result of a mutation that took effect, or may have."""
        return self._results.get(key)

    def keep(self, key: str, result: JsonObject) -> None:
        """Remembers a result, unless the mutation surely changed nothing."""
        if result["effect"] == "none":
            return
        self._results[key] = result
        if len(self._results) > _MOST_EFFECTS:
            self._results.popitem(last=False)


async def carry_out(services: Services, effects: Effects, key: str, args: JsonObject) -> JsonObject:
    """Runs a mutation, unless it took effect before."""
    done = effects.get(key)
    if done is not None:
        # The first result, but nothing was sent for it this time.
        return {**done, "attempts": 0, "latencyMs": 0.0, "breaker": None}
    result = await STEPS["mutation"](services, {**args, "key": key})
    effects.keep(key, result)
    return result


async def _nobody(key: str, args: JsonObject) -> JsonObject:
    """The answer to every question where no person can be asked."""
    result = ToolResult.error("nobody is there who could agree: nothing was changed")
    return {"id": None, "state": "denied", "result": result.to_json()}


class MemoryCtx:
    """One turn's `Ctx`."""

    def __init__(
        self,
        services: Services,
        *,
        effects: Effects,
        on_event: Callable[[TraceEvent], None],
        on_cost: Callable[[LedgerEntry], None],
        switches: Callable[[], JsonObject],
        ask: Callable[[str, JsonObject], Awaitable[JsonObject]] = _nobody,
    ) -> None:
        self._services = services
        self._effects = effects
        self.emit = on_event
        self.charge = on_cost
        self._switches = switches
        self._ask = ask

    async def step(self, name: StepName, args: JsonObject) -> JsonObject:
        """Runs a registered step."""
        return await STEPS[name](self._services, args)

    async def mutate(self, key: str, args: JsonObject) -> JsonObject:
        """Runs a mutation, unless it took effect before."""
        return await carry_out(self._services, self._effects, key, args)

    async def ask(self, key: str, args: JsonObject) -> JsonObject:
        """Asks a person."""
        return await self._ask(key, args)

    async def switches(self) -> JsonObject:
        """What is switched off at this moment."""
        return self._switches()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    def random(self) -> float:
        """A number in [0, 1)."""
        return random.random()
