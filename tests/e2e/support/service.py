"""The service over HTTP in the test's own event loop, with its ledger within reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from interlock.service.lifecycle import serve
from interlock.store.store import Store
from interlock.turn.ports import LedgerEntry

STORE = "sqlite:///var/interlock.db"
"""Where every project keeps what it has to keep; relative to the project."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, a client of it, and its store, which is opened for reading only."""

    client: aiohttp.ClientSession
    store: Store

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        """The status and the document that answer a request."""
        async with self.client.post(path, json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> Any:
        """The document at a path."""
        async with self.client.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def open(self, agent: str = "support", *, customer: str | None = "CUST-1001") -> str:
        """The id of a new conversation."""
        body = {"agent": agent} | ({} if customer is None else {"customerId": customer})
        status, opened = await self.post("/v1/conversations", body)
        assert status == 201, opened
        return str(opened["id"])

    async def send(self, conversation: str, text: str) -> Any:
        """The answer to a message."""
        path = f"/v1/conversations/{conversation}/messages"
        status, answer = await self.post(path, {"text": text})
        assert status == 200, answer
        return answer

    async def ledger(self, turn: str, conversation: str) -> tuple[LedgerEntry, ...]:
        """What the model calls of one turn were charged."""
        entries = await self.store.ledger(conversation)
        return tuple(entry for entry in entries if entry.turn_id == turn)


@asynccontextmanager
async def run_service(project: Path, environment: Mapping[str, str]) -> AsyncIterator[Service]:
    """A service of the project in this folder, on a free port."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(project, environment, port=0, on_ready=ready.set_result))
    try:
        either: set[asyncio.Future[Any]] = {serving, ready}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        async with (
            await Store.open(STORE, project=project, read_only=True) as store,
            aiohttp.ClientSession(await ready) as client,
        ):
            yield Service(client, store)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
