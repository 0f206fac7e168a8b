"""All that a turn touches, for real: the service, the shop and a simulator, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from interlock.config.source import Source
from interlock.sim import SimRules
from tests.e2e.support.project import write_project
from tests.e2e.support.service import Service, run_service
from tests.e2e.support.shop import run_shop
from tests.e2e.support.simulator import Simulator, run_simulator, used_tokens
from tests.e2e.support.turn import Turn, check_books
from tests.unit.shop.client import Shop

SHOP_DATABASE = "shop.sqlite"


@dataclass(frozen=True, slots=True)
class Stack:
    """A service, the simulator that it calls, and the shop that its tools call."""

    service: Service
    sim: Simulator
    shop: Shop

    async def say(self, conversation: str, text: str) -> Turn:
        """Sends a message, and gathers and checks what everybody has to say about its turn.

        Nothing else may be under way meanwhile.
        """
        before = await self.sim.stats()
        answer = await self.service.send(conversation, text)
        after = await self.sim.stats()
        turn_id = answer["turnId"]
        trace = await self.service.get(f"/v1/turns/{turn_id}/trace")
        assert trace["state"] == "ended"
        turn = Turn(
            answer=answer,
            stored=await self.service.get(f"/v1/turns/{turn_id}"),
            events=trace["events"],
            ledger=await self.service.ledger(turn_id, conversation),
            requests=await self.sim.last(after["requests"] - before["requests"]),
            used=used_tokens(after) - used_tokens(before),
        )
        check_books(turn)
        return turn

    async def ask(self, text: str, *, agent: str = "support", customer: str = "CUST-1001") -> Turn:
        """The turn of the first message of a new conversation."""
        return await self.say(await self.service.open(agent, customer=customer), text)


@asynccontextmanager
async def run_stack(
    source: Source,
    rules: SimRules | str,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Stack]:
    """A service of the project `source` with a new shop and with a simulator for its models.

    All that they keep is in `folder`; the shop's database is `SHOP_DATABASE`.
    """
    parts = [AsyncExitStack() for _ in range(3)]
    try:
        sim = await parts[0].enter_async_context(run_simulator(rules))
        shop = await parts[1].enter_async_context(run_shop(folder / SHOP_DATABASE))
        variables = {"INTERLOCK_MODEL_URL": sim.url, "SHOP_URL": shop.url, **(environment or {})}
        project = write_project(source, folder / "project")
        service = await parts[2].enter_async_context(run_service(project, variables))
        yield Stack(service, sim, shop)
    finally:
        # Side by side, because each server takes its time to end.
        await asyncio.gather(*(part.aclose() for part in parts))
