from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest

from interlock.config.listing import unreadable
from interlock.config.source import Source
from interlock.model.settings import Reload
from interlock.reload.following import Follower
from interlock.reload.outcome import Reason, ReloadOutcome, Status
from interlock.reload.standing import PASSING
from interlock.reload.watch import Wake
from tests.unit.reload.waiting import until

RULES = Reload(quiet=timedelta(milliseconds=300))


def content(text: str) -> Source:
    return Source({"a": text.encode()})


def outcome(status: Status = "applied", reason: Reason | None = None) -> ReloadOutcome:
    return ReloadOutcome(status, "d", "d", 2, "p", 0.1, reason)


@dataclass
class FakeOffers:
    """Decides as the test says; keeps what it was offered."""

    files: Source
    known: str | None = None
    decisions: int = 0
    rules: Reload = RULES
    answers: Iterator[ReloadOutcome | None] = field(default_factory=lambda: iter(()))
    offered: list[Source] = field(default_factory=list)
    unannounced: int = 0
    readings: int = 0

    async def read(self) -> Source:
        self.readings += 1
        return self.files

    async def offer(self, source: Source, *, decisions: int) -> ReloadOutcome | None:
        assert decisions <= self.decisions
        self.offered.append(source)
        answer = next(self.answers, outcome())
        if answer is not None and answer.reason not in PASSING:
            self.known = source.fingerprint
        return answer

    def missed(self) -> None:
        self.unannounced += 1


class FakeWaker:
    """Wakes when the test says so."""

    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.stirred = False
        self.wakes: asyncio.Queue[Wake] = asyncio.Queue()
        self.running = 0
        self.began = asyncio.Event()

    async def next(self) -> Wake:
        return await self.wakes.get()

    async def run(self) -> None:
        self.running += 1
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1


class Clock:
    """A time that moves by sleeping only."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def follower(offers: FakeOffers, waker: FakeWaker, clock: Clock) -> Follower:
    return Follower(offers, waker, sleep=clock.sleep, clock=clock)


async def test_what_is_known_is_not_offered(clock: Clock) -> None:
    offers = FakeOffers(content("a"), known=content("a").fingerprint)
    await follower(offers, FakeWaker(), clock).look("event")
    assert (offers.offered, offers.readings, clock.time) == ([], 1, 100.0)


async def test_a_change_is_offered_once_it_rests(clock: Clock) -> None:
    offers = FakeOffers(content("b"), known=content("a").fingerprint)
    follow = follower(offers, FakeWaker(), clock)
    await follow.look("event")
    assert offers.offered == [content("b")]
    assert clock.time == pytest.approx(100.3)
    await follow.look("event")
    await follow.look("resync")
    assert len(offers.offered) == 1


async def test_a_change_that_goes_away_while_it_settles_is_not_offered(clock: Clock) -> None:
    offers = FakeOffers(content("b"), known=content("a").fingerprint)
    readings = iter([content("b"), content("a"), content("a")])

    async def read() -> Source:
        return next(readings)

    offers.read = read  # type: ignore[method-assign]  # this one test needs other files each time
    await follower(offers, FakeWaker(), clock).look("event")
    assert offers.offered == []


@pytest.mark.parametrize("reason", ["parse", "invalid", "plugin", "mass_change"])
async def test_bad_content_is_offered_once(clock: Clock, reason: Reason) -> None:
    offers = FakeOffers(content("b"), known=content("a").fingerprint)
    offers.answers = iter([outcome("rejected", reason)])
    follow = follower(offers, FakeWaker(), clock)
    for _ in range(5):
        await follow.look("resync")
        await clock.sleep(1000)
    assert len(offers.offered) == 1


@pytest.mark.parametrize("reason", ["unreadable", "store"])
async def test_what_may_pass_is_offered_again_more_and_more_seldom(
    clock: Clock, reason: Reason
) -> None:
    offers = FakeOffers(content("b"), known=content("a").fingerprint)
    offers.answers = iter([outcome("rejected", reason)] * 1000)
    follow = follower(offers, FakeWaker(), clock)
    times = []
    while clock.time < 400:
        before = len(offers.offered)
        await follow.look("resync")
        if len(offers.offered) > before:
            times.append(clock.time)
        await clock.sleep(0.5)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[0] < 3
    assert waits == sorted(waits)
    assert 60 <= waits[-1] < 62


async def test_a_change_of_what_may_pass_is_offered_at_once(clock: Clock) -> None:
    locked = Source({}, (unreadable("a", "Permission denied"),))
    offers = FakeOffers(locked, known=content("a").fingerprint)
    offers.answers = iter([outcome("rejected", "unreadable")])
    follow = follower(offers, FakeWaker(), clock)
    await follow.look("resync")
    await follow.look("resync")
    assert len(offers.offered) == 1
    offers.files = content("b")
    await follow.look("resync")
    assert offers.offered[1:] == [content("b")]


async def test_files_that_never_rest_are_offered_as_unreadable(clock: Clock) -> None:
    offers = FakeOffers(content("a"), known=content("a").fingerprint)
    number = iter(range(1000))

    async def read() -> Source:
        return content(str(next(number)))

    offers.read = read  # type: ignore[method-assign]  # this one test needs other files each time
    await follower(offers, FakeWaker(), clock).look("event")
    (source,) = offers.offered
    assert source.files == {}
    assert source.found[0].code == "ILK-R001"
    assert "has been changing for 5 s" in source.found[0].message


async def test_whoever_decides_in_between_makes_it_look_again(clock: Clock) -> None:
    offers = FakeOffers(content("b"), known=content("a").fingerprint)
    offers.answers = iter([None, outcome()])
    await follower(offers, FakeWaker(), clock).look("event")
    assert len(offers.offered) == 2


@pytest.mark.parametrize(
    ("wake", "up", "stirred", "counted"),
    [
        ("resync", True, False, 1),
        ("resync", True, True, 0),
        ("resync", False, False, 0),
        ("event", True, False, 0),
    ],
)
async def test_a_change_that_nothing_announced_is_counted(
    clock: Clock, wake: Wake, up: bool, stirred: bool, counted: int
) -> None:
    offers = FakeOffers(content("b"), known=content("a").fingerprint)
    waker = FakeWaker(up=up)
    waker.stirred = stirred
    await follower(offers, waker, clock).look(wake)
    assert offers.unannounced == counted


async def test_it_looks_with_every_wake_and_outlives_every_failure(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    offers, waker = FakeOffers(content("a"), known=content("a").fingerprint), FakeWaker()
    asked = asyncio.Queue[None]()
    failures = iter([OSError("gone"), None])

    async def read() -> Source:
        asked.put_nowait(None)
        failure = next(failures)
        if failure is not None:
            raise failure
        return content("a")

    offers.read = read  # type: ignore[method-assign]  # this one test needs a failure
    task = asyncio.create_task(follower(offers, waker, clock).run())
    for _ in range(2):
        waker.wakes.put_nowait("event")
        await asyncio.wait_for(asked.get(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert waker.running == 0
    assert "looking for changes of the configuration failed" in caplog.text


async def test_in_manual_mode_nothing_is_watched_or_read(clock: Clock) -> None:
    offers = FakeOffers(content("b"), known=content("a").fingerprint)
    waker = FakeWaker()
    task = asyncio.create_task(follower(offers, waker, clock).run())
    try:
        await asyncio.wait_for(waker.began.wait(), 10)
        waker.wakes.put_nowait("event")
        offers.rules = RULES.model_copy(update={"mode": "manual"})
        # The wake that was under way still counts; after it, only the clock goes on.
        before = clock.time
        await until(lambda: clock.time > before + 20)
        assert waker.running == 0
        readings = offers.readings
        waker.began.clear()
        offers.rules = RULES
        await asyncio.wait_for(waker.began.wait(), 10)
        assert offers.readings == readings
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
