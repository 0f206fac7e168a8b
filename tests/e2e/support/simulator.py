"""A simulator of the Messages API over HTTP, and what it really received."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from interlock.sim import SimRules, SimServer, parse_rules


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulator that answers at `url`."""

    url: str
    session: aiohttp.ClientSession

    async def stats(self) -> Any:
        """How many requests have come, by rule and by status, and what they used."""
        return await self._get("/stats")

    async def last(self, count: int) -> list[Any]:
        """The newest requests, oldest first: `body`, `rule`, `status`, `request_id`."""
        return list((await self._get(f"/requests?last={count}"))["requests"])

    async def _get(self, path: str) -> Any:
        async with self.session.get(self.url + path) as answer:
            assert answer.status == 200
            return await answer.json()


@asynccontextmanager
async def run_simulator(rules: SimRules | str) -> AsyncIterator[Simulator]:
    """A simulator that answers by these rules; a text is the YAML list under `rules`."""
    async with SimServer(read_rules(rules)) as sim, aiohttp.ClientSession() as session:
        yield Simulator(sim.base_url, session)


def read_rules(rules: SimRules | str) -> SimRules:
    """Rules from the YAML list under `rules`."""
    if isinstance(rules, SimRules):
        return rules
    return parse_rules(f"rules:\n{rules}".encode(), "sim.yaml")


def used_tokens(stats: Any) -> Counter[str]:
    """What all answers claimed to have used, the broken ones as well."""
    return Counter(stats["tokens"])
