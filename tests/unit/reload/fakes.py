"""A supervisor over files in memory, and what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.config.source import Source
from interlock.errors import StoreError
from interlock.reload.activation import Activation
from interlock.reload.outcome import ReloadOutcome, Trigger
from interlock.reload.supervisor import Supervisor
from tests.unit.reload.sources import make_source


class Files:
    """Files in memory; counts how often they were read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.readings = 0

    def read(self) -> Source:
        self.readings += 1
        return self.source


class FakeStore:
    """Keeps snapshots; raises `failure`."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, bytes]] = {}
        self.failure: StoreError | None = None
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def save_snapshot(self, digest: str, files: Mapping[str, bytes]) -> None:
        self.began.set()
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        self.kept[digest] = files


class Told:
    """Observer and history in one."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[Trigger, ReloadOutcome]] = []
        self.activations: list[Activation] = []
        self.unannounced = 0

    def attempted(self, outcome: ReloadOutcome, trigger: Trigger) -> None:
        self.outcomes.append((trigger, outcome))

    def missed(self) -> None:
        self.unannounced += 1

    async def activated(self, record: Activation) -> None:
        self.activations.append(record)


class Bench:
    """A supervisor that runs, and all that it works with."""

    def __init__(self, supervisor: Supervisor, files: Files) -> None:
        self.supervisor = supervisor
        self.files = files
        self.store = FakeStore()
        self.told = Told()

    async def offer(self, source: Source) -> ReloadOutcome | None:
        """What the follower does once files have come to rest."""
        self.files.source = source
        decisions = self.supervisor.decisions
        return await self.supervisor.offer(source, decisions=decisions)

    async def reload(self, source: Source, **wishes: object) -> ReloadOutcome:
        """What somebody does who has saved files and asks for them."""
        self.files.source = source
        return await self.supervisor.reload("api", **wishes)  # type: ignore[arg-type]  # as given


@asynccontextmanager
async def bench(
    state: Path, source: Source | None = None, *, resume: bool = False
) -> AsyncIterator[Bench]:
    """A running supervisor whose last good configurations are in `state`."""
    files = Files(source or make_source())
    supervisor = await Supervisor.start(
        Path("nowhere"), {}, read=files.read, resume=resume, state_dir=state
    )
    made = Bench(supervisor, files)
    try:
        supervisor.observe(made.told)
        await supervisor.begin(made.store, history=made.told)
        made.store.began.clear()
        yield made
    finally:
        await supervisor.close()
        await supervisor.generations.close()
