from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from interlock.sim import SimServer, parse_rules

Connect = Callable[[str], AbstractAsyncContextManager[AsyncAnthropic]]


@pytest.fixture(params=["httpx2", "aiohttp"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """From rules to the real SDK, talking to a real server; once over each of its transports."""

    @asynccontextmanager
    async def connected(rules: str) -> AsyncIterator[AsyncAnthropic]:
        transport = DefaultAioHttpClient() if request.param == "aiohttp" else None
        async with (
            SimServer(parse_rules(rules.encode(), "sim.yaml")) as sim,
            AsyncAnthropic(
                api_key="test",
                base_url=sim.base_url,
                max_retries=0,
                timeout=30,
                http_client=transport,
            ) as client,
        ):
            yield client

    return connected
