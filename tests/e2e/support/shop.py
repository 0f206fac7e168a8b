"""The shop over HTTP, and what it knows of its callers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp

from examples.shop.server import ShopServer
from tests.e2e.support.serving import serving
from tests.unit.shop.client import Shop


@asynccontextmanager
async def run_shop(database: Path) -> AsyncIterator[Shop]:
    """A shop that answers for as long as the context is open."""
    urls: list[str] = []
    server = ShopServer(database, 0, announce=urls.append)
    async with serving(server), aiohttp.ClientSession() as session:
        yield Shop(url=urls[0], server=server, session=session)


async def effects(shop: Shop) -> dict[str, int]:
    """The effects that callers have had, those of which there are any."""
    stats = (await shop.get("/stats")).body
    return {kind: count for kind, count in stats.items() if count}


async def watch(shop: Shop, endpoint: str) -> None:
    """Counts the requests to an endpoint from now on, and changes nothing about them."""
    await shop.arm(endpoint, kind="slow", delay_seconds=0)


async def struck(shop: Shop, endpoint: str) -> int:
    """How many requests an endpoint's fault has struck, or `watch` has counted."""
    return int((await shop.get("/faults")).body[endpoint]["struck"])


async def idempotency_keys(database: Path) -> list[str]:
    """The keys that callers sent with their changes, from the shop's own database."""

    def read() -> list[str]:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT key FROM idempotency_keys ORDER BY created_at")
            return [row[0] for row in rows]

    return await asyncio.to_thread(read)
