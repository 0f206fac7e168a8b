"""A configuration and a clock for breakers."""

from __future__ import annotations

from interlock.config.snapshot import Snapshot
from interlock.engine.breaker_notice import Notice
from interlock.engine.breakers import Breakers
from interlock.store.store import Store
from tests.unit.config.project import base_files, load_files

NOW = 1_760_000_000.0


def snapshot(extra: str = "") -> Snapshot:
    files = dict(base_files())
    files["interlock.yaml"] += f"\n{extra}\n".encode()
    return load_files(files).require()


class World:
    """A configuration and a clock that the test changes."""

    def __init__(self, store: Store, extra: str = "") -> None:
        self.snapshot = snapshot(extra)
        self.now = NOW
        self.told: list[Notice] = []
        self.store = store

    async def breakers(self) -> Breakers:
        made = Breakers(self.store, lambda: self.snapshot, clock=lambda: self.now)
        await made.load()
        made.observe(self.told.append)
        return made
