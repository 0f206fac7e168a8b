from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from interlock.reload.generation import Generation
from interlock.reload.generations import Generations
from interlock.reload.held import Held
from tests.unit.reload.conversations import conversation

LONG = 3600.0


class FakeSnapshot:
    def __init__(self, digest: str) -> None:
        self.digest = digest
        self.files: Mapping[str, bytes] = {}


class FakeGeneration:
    """Says when it was closed; `failure` is raised then."""

    def __init__(self, name: str) -> None:
        self.snapshot = FakeSnapshot(name)
        self.closed = asyncio.Event()
        self.failure: Exception | None = None

    async def close(self) -> None:
        assert not self.closed.is_set(), "closed twice"
        self.closed.set()
        if self.failure is not None:
            raise self.failure


CONVERSATION = conversation()


def make(name: str) -> Any:
    return cast(Generation, FakeGeneration(name))


class Turn:
    """A turn that goes on until it is told to end."""

    def __init__(self, generations: Generations) -> None:
        self.began: asyncio.Future[Held] = asyncio.get_running_loop().create_future()
        self._end = asyncio.Event()
        self.task = asyncio.create_task(self._run(generations))

    async def _run(self, generations: Generations) -> str:
        async with generations.pin(CONVERSATION) as held:
            self.began.set_result(held)
            try:
                await self._end.wait()
            except asyncio.CancelledError:
                return "expired" if held.expired else "cancelled"
        return held.digest

    async def end(self) -> str:
        self._end.set()
        return await self.task


@asynccontextmanager
async def turn(generations: Generations) -> AsyncIterator[Turn]:
    running = Turn(generations)
    await running.began
    try:
        yield running
    finally:
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)


async def test_a_turn_keeps_the_generation_that_it_began_with() -> None:
    first, second = make("one"), make("two")
    generations = Generations(first)
    async with turn(generations) as before:
        generations.replace(second, drain_seconds=LONG)
        async with turn(generations) as after:
            assert (generations.active.number, generations.active.turns) == (2, 1)
            (draining,) = generations.draining
            assert (draining.number, draining.digest, draining.turns) == (1, "one", 1)
            assert draining.replaced_at is not None
            assert await after.end() == "two"
            assert not first.closed.is_set()
            assert await before.end() == "one"
        await asyncio.wait_for(first.closed.wait(), 10)
    assert generations.draining == ()
    assert not second.closed.is_set()
    await generations.close()
    assert second.closed.is_set()


async def test_a_generation_without_turns_is_closed_at_once() -> None:
    first = make("one")
    generations = Generations(first)
    generations.replace(make("two"), drain_seconds=LONG)
    assert generations.draining == ()
    await asyncio.wait_for(first.closed.wait(), 10)
    await generations.close()


async def test_only_the_last_turn_closes_it() -> None:
    first = make("one")
    generations = Generations(first)
    async with turn(generations) as one, turn(generations) as other:
        generations.replace(make("two"), drain_seconds=LONG)
        await one.end()
        assert generations.draining[0].turns == 1
        assert not first.closed.is_set()
        await other.end()
    await asyncio.wait_for(first.closed.wait(), 10)
    await generations.close()


async def test_turns_that_outlast_the_drain_are_cancelled() -> None:
    first = make("one")
    generations = Generations(first)
    async with turn(generations) as late:
        generations.replace(make("two"), drain_seconds=0.0)
        assert await asyncio.wait_for(late.task, 10) == "expired"
    await asyncio.wait_for(first.closed.wait(), 10)
    await generations.close()


async def test_the_turns_of_the_active_generation_are_not_touched_by_a_drain() -> None:
    generations = Generations(make("one"))
    generations.replace(make("two"), drain_seconds=0.0)
    async with turn(generations) as running:
        # Lets the timer of a drain come due, if there is one.
        for _ in range(3):
            await asyncio.sleep(0)
        assert not running.task.done()
        assert await running.end() == "two"
    await generations.close()


async def test_several_generations_drain_side_by_side() -> None:
    made = [make(str(number)) for number in range(4)]
    generations = Generations(made[0])
    turns = []
    for generation in made[1:]:
        running = Turn(generations)
        await running.began
        turns.append(running)
        generations.replace(generation, drain_seconds=LONG)
    assert [held.digest for held in generations.draining] == ["0", "1", "2"]
    await turns[1].end()
    await asyncio.wait_for(made[1].closed.wait(), 10)
    assert [held.digest for held in generations.draining] == ["0", "2"]
    for running in (turns[2], turns[0]):
        await running.end()
    await generations.close()
    assert all(generation.closed.is_set() for generation in made)


async def test_a_turn_that_fails_lets_go_too() -> None:
    first = make("one")
    generations = Generations(first)

    async def fail() -> None:
        async with generations.pin(CONVERSATION):
            generations.replace(make("two"), drain_seconds=LONG)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail()
    await asyncio.wait_for(first.closed.wait(), 10)
    await generations.close()


async def test_a_generation_that_cannot_be_closed_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = make("one"), make("two")
    first.failure = RuntimeError("stuck")
    generations = Generations(first)
    generations.replace(second, drain_seconds=LONG)
    await generations.close()
    assert second.closed.is_set()
    assert "generation 1 could not be closed" in caplog.text
