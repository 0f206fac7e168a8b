"""A supervisor that follows real files by the real watcher, and tells what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.reload.outcome import ReloadOutcome, Trigger
from interlock.reload.supervisor import Supervisor

_SECONDS = 60


class Following:
    """A supervisor at work; hears of every attempt."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.unannounced = 0
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

    async def watching(self) -> None:
        """Returns once the kernel has been asked to announce changes."""
        async with asyncio.timeout(_SECONDS):
            while not self.supervisor.watch.up:
                await _others_work()

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
    supervisor = await Supervisor.start(folder, {}, state_dir=state)
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


async def _others_work() -> None:
    await asyncio.sleep(0.001)
