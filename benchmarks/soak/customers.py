"""Customers who write all the time, and notice every message that is not answered as it should."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.soak.project import ALWAYS_THERE

__all__ = ["Customers", "open_shop"]

_MESSAGES = 8
"""Of one conversation, which another one follows."""


@dataclass(slots=True)
class Customers:
    """So many conversations at the same time."""

    client: aiohttp.ClientSession
    conversations: int
    pause_seconds: float
    """Between an answer and the next message; half of it to one and a half of it."""
    turns: int = 0
    """Messages that were answered as they should."""
    lost: list[str] = field(default_factory=list)
    """What became of the others."""
    _numbers: count[int] = field(default_factory=lambda: count(10_000))
    _leaving: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self) -> None:
        """Lets all of them write until `leave` is called, and their last turns have ended."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.conversations):
                tasks.create_task(self._write(number))

    def leave(self) -> None:
        """No more messages."""
        self._leaving.set()

    async def _write(self, number: int) -> None:
        choice = random.Random(number)
        while not self._leaving.is_set():
            await self._converse(number, choice)

    async def _converse(self, number: int, choice: random.Random) -> None:
        agent = ALWAYS_THERE[number % len(ALWAYS_THERE)]
        status, opened = await self._post(
            "/v1/conversations", {"agent": agent, "customerId": f"C-{number}"}
        )
        if status != 201:
            self.lost.append(f"a conversation with {agent}: {status} {opened}")
            await self._pause(choice)
            return
        sent = 0
        while sent < _MESSAGES and not self._leaving.is_set():
            await self._send(opened["id"])
            sent += 1
            await self._pause(choice)
        await self._compare(opened["id"], sent)

    async def _send(self, conversation: str) -> None:
        order = f"B-{next(self._numbers)}"
        status, answer = await self._post(
            f"/v1/conversations/{conversation}/messages", {"text": f"Where is my order {order}?"}
        )
        if status == 200 and answer["outcome"] == "resolved" and order in answer["reply"]:
            self.turns += 1
        else:
            self.lost.append(f"{order}: {status} {answer}")

    async def _compare(self, conversation: str, sent: int) -> None:
        """Every message has one turn and one reply, and no more."""
        async with self.client.get(f"/v1/conversations/{conversation}") as answer:
            found: Any = await answer.json()
        roles = [message["role"] for message in found["messages"]]
        ended = [turn for turn in found["turns"] if turn["state"] == "ended"]
        if len(ended) != sent or roles != ["customer", "agent"] * sent:
            self.lost.append(f"{conversation}: {sent} messages, {len(ended)} turns, {roles}")

    async def _pause(self, choice: random.Random) -> None:
        try:
            async with asyncio.timeout(self.pause_seconds * (0.5 + choice.random())):
                await self._leaving.wait()
        except TimeoutError:
            return

    async def _post(self, path: str, body: object) -> tuple[int, Any]:
        try:
            async with self.client.post(path, json=body) as answer:
                return answer.status, await answer.json(content_type=None)
        except aiohttp.ClientError as error:
            return 0, repr(error)


@asynccontextmanager
async def open_shop() -> AsyncIterator[str]:
    """The URL of a shop that knows where each parcel is."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"id": request.match_info["id"], "stage": "in transit"})

    app = web.Application()
    app.router.add_get("/parcels/{id}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
