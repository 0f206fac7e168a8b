"""A running shop, and what tests ask of it."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from examples.shop.server import ShopServer


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished response with its JSON body, None if it has none."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that answers at `url`."""

    url: str
    server: ShopServer
    session: aiohttp.ClientSession

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        customer: str | None = None,
        key: str | None = None,
    ) -> Reply:
        """Return the answer to one request."""
        headers = {"X-Customer-Id": customer, "Idempotency-Key": key}
        async with self.session.request(
            method,
            self.url + path,
            json=body,
            headers={name: value for name, value in headers.items() if value is not None},
        ) as response:
            has_body = await response.read() != b""
            return Reply(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=await response.json(content_type=None) if has_body else None,
            )

    async def get(self, path: str, *, customer: str | None = None) -> Reply:
        """Return the answer to a GET."""
        return await self.send("GET", path, customer=customer)

    async def count(self, kind: str) -> int:
        """Return how many effects of a kind the shop reports."""
        number = (await self.get("/stats")).body[kind]
        assert isinstance(number, int)
        return number

    async def arm(self, endpoint: str, **fault: object) -> None:
        """Switch a fault on."""
        assert (await self.send("PUT", f"/faults/{endpoint}", fault)).status == 200

    async def wait_for_strike(self, endpoint: str) -> None:
        """Return when the endpoint's fault has struck a request."""
        async with asyncio.timeout(10):
            while (await self.get("/faults")).body[endpoint]["struck"] == 0:
                pass


@asynccontextmanager
async def run_shop(database: Path) -> AsyncIterator[Shop]:
    """Serve a shop on a free port for as long as the context is open."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = ShopServer(database, 0, announce=address.set_result)
    serving = asyncio.create_task(server.serve())
    url = await address
    try:
        async with aiohttp.ClientSession() as session:
            yield Shop(url=url, server=server, session=session)
    finally:
        server.should_exit = True
        await serving


@contextmanager
def run_shop_in_thread(database: Path) -> Iterator[tuple[str, ShopServer]]:
    """Serve a shop beside the event loops of many tests; gives its URL and its server."""
    address: queue.SimpleQueue[str] = queue.SimpleQueue()
    server = ShopServer(database, 0, announce=address.put)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield address.get(timeout=30), server
    finally:
        server.should_exit = True
        thread.join()
