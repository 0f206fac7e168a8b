"""The whole application on a project in a folder: real files, a real store, no network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from interlock.reload.history import StoreHistory
from interlock.reload.supervisor import Supervisor
from interlock.runtime import Runtime
from interlock.service.app import create_app
from interlock.service.key_ring import KeyRing
from interlock.service.keys import new_key
from interlock.service.metrics import Metrics
from interlock.store.store import Store
from tests.unit.config.project import base_files

AGENT = "agents.d/support.yaml"


@dataclass(frozen=True)
class Assembled:
    """A service whose files are changed by the test and applied by its reloads."""

    project: Path
    client: httpx2.AsyncClient
    supervisor: Supervisor
    runtime: Runtime

    def add(self, line: str, name: str = AGENT) -> None:
        """Adds a line to a file of the project."""
        path = self.project / name
        path.write_text(f"{path.read_text()}{line}\n")

    async def apply(self, line: str, *, why: str | None = None) -> str:
        """Adds a line to the agent, makes that active, and gives its digest."""
        self.add(line)
        answer = await self.client.post("/v1/config/reload", json={"why": why})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["digest"])

    async def get(self, path: str, **params: Any) -> Any:
        """The document at a path."""
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def assemble(folder: Path, *, key: str | None = None) -> AsyncIterator[Assembled]:
    """The service of a small project; `key` names the API key that the client has."""
    for name, data in base_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    headers = {}
    if key is not None and "auth:" not in (settings := folder / "interlock.yaml").read_text():
        secret, digest = new_key()
        with settings.open("a") as file:
            file.write(f"auth: {{keys: [{{name: {key}, sha256: {digest}, role: admin}}]}}\n")
        headers = {"authorization": f"Bearer {secret}"}
    supervisor = await Supervisor.start(folder, {})
    store = await Store.open("sqlite:///var/store.db", project=folder)
    await supervisor.begin(store, history=StoreHistory(store))
    runtime = Runtime(supervisor.generations, store)
    await runtime.switches.load()
    ring = KeyRing(store)
    await ring.refresh()
    app = create_app(runtime, supervisor=supervisor, metrics=Metrics(supervisor), ring=ring)
    transport = httpx2.ASGITransport(app=app)
    client = httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)
    try:
        async with client:
            yield Assembled(folder, client, supervisor, runtime)
    finally:
        await supervisor.close()
        await runtime.close(drain_seconds=10)
