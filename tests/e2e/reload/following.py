"""A supervisor that follows real files by the real watcher, and tells what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.config.source import Source, read_tree
from interlock.reload.outcome import ReloadOutcome, Trigger
from interlock.reload.supervisor import Supervisor

_SECONDS = 60


class Following:
    """A supervisor at work; hears of every attempt."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.unannounced = 0
        self.readings = 0
        self._outcomes: asyncio.Queue[tuple[Trigger, ReloadOutcome]] = asyncio.Queue()

    def attempted(self, outcome: ReloadOutcome, trigger: Trigger) -> None:
        self._outcomes.put_nowait((trigger, outcome))

    def missed(self) -> None:
        self.unannounced += 1

    @property
    def description(self) -> str:
        """What the active configuration says about the agent that the tests edit."""
        return self.supervisor.active.agents["support"].description

    async def next(self) -> ReloadOutcome:
        """The next attempt that the files led to."""
        async with asyncio.timeout(_SECONDS):
            trigger, outcome = await self._outcomes.get()
        assert trigger == "watch"
        return outcome

    async def applied(self, text: str) -> None:
        """Waits for one attempt, which must make an agent with this description active."""
        outcome = await self.next()
        assert outcome.status == "applied", [finding.text for finding in outcome.findings]
        assert self.description == text

    async def reloaded(self, text: str) -> None:
        """Asks for a reload, which must be what makes an agent with this description active."""
        outcome = await self.supervisor.reload("api")
        assert self._outcomes.get_nowait() == ("api", outcome)
        assert (outcome.status, self.description) == ("applied", text)

    async def watching(self) -> None:
        """Returns once the kernel has been asked to announce changes."""
        await _until(lambda: self.supervisor.watch.up)

    async def looks(self) -> None:
        """Returns once all files have been looked at, from the first to the last."""
        before = self.readings
        # The first one may have begun already.
        await _until(lambda: self.readings >= before + 3)

    async def rests(self) -> None:
        """Fails if there was another attempt, or if the files are not what is active."""
        outcome = await self.supervisor.reload("api")
        assert outcome.status == "unchanged"
        assert self._outcomes.get_nowait() == ("api", outcome)
        assert self._outcomes.empty()


class _Store:
    async def save_snapshot(self, digest: str, files: Mapping[str, bytes]) -> None:
        """Keeps nothing."""


@asynccontextmanager
async def following(folder: Path, *, state: Path) -> AsyncIterator[Following]:
    """A supervisor of the project in `folder`, once it is being told of changes."""
    made: Following | None = None

    def read() -> Source:
        if made is not None:
            made.readings += 1
        return read_tree(folder)

    supervisor = await Supervisor.start(folder, {}, read=read, state_dir=state)
    made = Following(supervisor)
    supervisor.observe(made)
    await supervisor.begin(_Store())
    task = asyncio.create_task(supervisor.follow())
    try:
        await made.watching()
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await supervisor.close()
        await supervisor.generations.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not condition():
            await _others_work()


async def _others_work() -> None:
    await asyncio.sleep(0.001)
