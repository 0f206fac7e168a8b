"""Webhooks reach a real server, are tried again, and never make anybody wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from aiohttp import web

from interlock.model.base import JsonObject
from interlock.webhooks.sender import Target, WebhookSender
from interlock.webhooks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign


class Receiver:
    """Answers with the statuses given, then with 200, and keeps what is genuine."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.got: asyncio.Queue[str] = asyncio.Queue()
        self.requests = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        body = await request.read()
        signature = sign("s", request.headers[TIMESTAMP_HEADER], body)
        assert request.headers[SIGNATURE_HEADER] == signature
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
        return receiver, Target(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", "s", 5.0, 3)

    yield run
    for runner in runners:
        await runner.cleanup()


def notice(number: int) -> JsonObject:
    return {"id": f"n{number}", "type": "test"}


async def test_a_notice_is_sent_signed_and_tried_again_until_it_is_taken(start: Start) -> None:
    receiver, target = await start([500, 302])
    sender = WebhookSender(lambda: target, first_delay=0.001)
    for number in range(3):
        sender.put(notice(number))
    assert [await receiver.got.get() for _ in range(3)] == ["n0", "n1", "n2"]
    await sender.close()
    assert (receiver.requests, sender.sent, sender.failed) == (5, 3, 0)


async def test_what_nobody_takes_is_given_up_and_told(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, target = await start([400] * 3)
    sender = WebhookSender(lambda: target, first_delay=0.001)
    sender.put(notice(1))
    sender.put(notice(2))
    assert await receiver.got.get() == "n2"
    await sender.close()
    assert (sender.sent, sender.failed) == (1, 1)
    assert "the notice n1 (test) was given up after 3 times: the answer was 400" in caplog.text


async def test_nobody_at_the_other_end_stops_nothing() -> None:
    gone = Target("http://127.0.0.1:9/", "s", 1.0, 2)
    sender = WebhookSender(lambda: gone, first_delay=0.001)
    sender.put(notice(1))
    await sender.close(drain_seconds=20)
    assert sender.failed == 1


async def test_of_too_many_the_newest_are_kept(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, target = await start([])
    sender = WebhookSender(lambda: target, most=2)
    for number in range(5):
        sender.put(notice(number))
    await sender.close(drain_seconds=20)
    assert (sender.dropped, sender.sent) == (3, 2)
    assert [receiver.got.get_nowait() for _ in range(2)] == ["n3", "n4"]
    assert "too many are waiting" in caplog.text


async def test_without_a_target_nothing_is_kept() -> None:
    sender = WebhookSender(lambda: None, most=1)
    for number in range(3):
        sender.put(notice(number))
    await sender.close()
    assert (sender.sent, sender.dropped) == (0, 0)
