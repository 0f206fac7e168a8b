"""Webhooks reach a real server, are tried again, and never make anybody wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp import web

from interlock.webhooks.sender import Target, WebhookSender, delays
from interlock.webhooks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed


class Receiver:
    """Answers with the statuses given, then with 200, and keeps what is genuine."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.got: asyncio.Queue[str] = asyncio.Queue()
        self.requests = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        stamp = int(request.headers[TIMESTAMP_HEADER])
        body = await request.read()
        assert is_signed("s", stamp, body, request.headers[SIGNATURE_HEADER], now=stamp)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            await self.got.put((await request.json())["id"])
        return web.Response(status=status)


Start = Callable[[list[int]], Awaitable[tuple[Receiver, Target]]]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    runners: list[web.AppRunner] = []

    async def run(statuses: list[int]) -> tuple[Receiver, Target]:
        receiver = Receiver(statuses)
        app = web.Application()
        app.router.add_post("/hook", receiver.answer)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return receiver, Target(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", "s")

    yield run
    for runner in runners:
        await runner.cleanup()


async def test_a_notice_is_sent_signed_and_tried_again_until_it_is_taken(start: Start) -> None:
    receiver, target = await start([500, 302])
    sender = WebhookSender(lambda: target, first_delay=0.001)
    for number in range(3):
        sender.send({"id": f"n{number}", "type": "test"})
    assert [await receiver.got.get() for _ in range(3)] == ["n0", "n1", "n2"]
    await sender.close()
    assert (receiver.requests, sender.dropped) == (5, 0)


async def test_what_nobody_takes_is_given_up_and_told(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, target = await start([400] * 2)
    sender = WebhookSender(lambda: target, attempts=2, first_delay=0.001)
    sender.send({"id": "lost", "type": "test"})
    sender.send({"id": "next", "type": "test"})
    assert await receiver.got.get() == "next"
    await sender.close()
    assert sender.dropped == 1
    assert "lost" in caplog.text


async def test_the_queue_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    sender = WebhookSender(lambda: Target("http://127.0.0.1:9/", "s"), most=2, attempts=1)
    for number in range(5):
        sender.send({"id": f"n{number}", "type": "test"})
    assert sender.dropped == 3
    await sender.close()
    assert sender.dropped == 5
    assert "too many are waiting" in caplog.text


async def test_without_a_target_nothing_is_kept() -> None:
    sender = WebhookSender(lambda: None, most=1)
    for _ in range(3):
        sender.send({"id": "n", "type": "test"})
    await sender.close()
    assert sender.dropped == 0


def test_the_delays_grow_to_a_limit() -> None:
    assert delays(6) == [1, 2, 4, 8, 16]
    assert delays(9)[-1] == 60
    assert delays(1) == []
