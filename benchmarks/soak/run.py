"""The soak itself: edits, and after each few of them the comparison of files and service."""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from benchmarks.processes import Server, start, start_simulator
from benchmarks.soak.customers import Customers, open_shop
from benchmarks.soak.editor import Editor
from benchmarks.soak.journal import Journal
from benchmarks.soak.project import Texts, write_project
from interlock.config.source import read_tree
from interlock.reload.generation import check

__all__ = ["Figures", "Plan", "soak"]

_ASK_SECONDS = 0.01
_CONVERGE_SECONDS = 30.0
_MODEL_MS = 50
_PAUSE_SECONDS = 2.0
_WARM_UP = 0.1
"""The share of the edits after which memory and descriptors are first looked at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do."""

    edits: int = 1000
    conversations: int = 50
    seed: int = 1
    texts: Texts = field(default_factory=Texts)


@dataclass(slots=True)
class Figures:
    """What was seen."""

    edits: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    checkpoints: int = 0
    invalid_checkpoints: int = 0
    """Of these, those at which the files were invalid."""
    divergences: list[str] = field(default_factory=list)
    applied: int = 0
    rejected: int = 0
    turns: int = 0
    lost: list[str] = field(default_factory=list)
    active_seconds: list[float] = field(default_factory=list)
    """From the last change of valid files until they were active, for each checkpoint."""
    memory_mb: list[float] = field(default_factory=list)
    """Of the service: once it has warmed up, at every tenth of the edits, at the end."""
    descriptors: list[int] = field(default_factory=list)
    """The same for open files and connections."""
    seconds: float = 0.0


async def soak(plan: Plan, *, tell: Callable[[Figures], None] = lambda figures: None) -> Figures:
    """Starts everything, edits under load, and compares. `tell` hears of each checkpoint."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "release0").mkdir()
        (folder / "current").symlink_to(folder / "release0")
        write_project(folder / "current", plan.texts)
        async with open_shop() as shop:
            with start_simulator(_MODEL_MS, core=None) as model:
                environment = {
                    "SOAK_SHOP_URL": shop,
                    "SOAK_MODEL_URL": model.url,
                    "SOAK_STORE_URL": f"sqlite:///{folder}/var/soak.db",
                }
                with start(
                    *("-m", "interlock.cli.main", "serve", str(folder / "current")),
                    *("--port", "0"),
                    environment=environment,
                    log=folder / "service.log",
                ) as service:
                    connector = aiohttp.TCPConnector(limit=0)
                    async with aiohttp.ClientSession(service.url, connector=connector) as client:
                        run = _Soak(plan, folder / "current", service, client, environment)
                        return await run.run(tell)


class _Soak:
    def __init__(
        self,
        plan: Plan,
        current: Path,
        service: Server,
        client: aiohttp.ClientSession,
        environment: dict[str, str],
    ) -> None:
        self._plan = plan
        self._current = current
        self._service = service
        self._client = client
        self._environment = {**os.environ, **environment}
        self._choice = random.Random(plan.seed)
        self._journal = Journal(current, quiet_seconds=plan.texts.quiet_ms / 1000)
        self._editor = Editor(current, plan.texts, self._choice, self._journal)
        self._customers = Customers(client, plan.conversations, _PAUSE_SECONDS)
        self._figures = Figures(kinds=self._editor.kinds, lost=self._customers.lost)
        self._active = {self._journal.now.digest}
        """What may be active since the last checkpoint."""
        self._ever = set(self._active)

    async def run(self, tell: Callable[[Figures], None]) -> Figures:
        figures, begun = self._figures, time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._customers.write())
            while figures.edits < self._plan.edits:
                await self._step()
                self._look()
                tell(figures)
            await asyncio.to_thread(self._editor.repair)
            await self._compare()
            figures.memory_mb.append(self._service.memory_mb())
            figures.descriptors.append(self._service.descriptors())
            self._customers.leave()
        figures.turns = self._customers.turns
        await self._compare_history()
        figures.rejected = await self._count_rejected()
        await self._drained()
        figures.seconds = time.monotonic() - begun
        return figures

    async def _step(self) -> None:
        burst = self._choice.random() < 0.2
        count = self._choice.randint(5, 15) if burst else self._choice.randint(1, 5)
        count = min(count, self._plan.edits - self._figures.edits)
        await asyncio.to_thread(self._editor.edit, count, burst=burst)
        self._figures.edits += count
        await self._compare()

    def _look(self) -> None:
        figures = self._figures
        share = figures.edits / self._plan.edits
        if share >= max(_WARM_UP, (len(figures.memory_mb) + 1) / 10):
            figures.memory_mb.append(self._service.memory_mb())
            figures.descriptors.append(self._service.descriptors())

    async def _compare(self) -> None:
        """A checkpoint: waits until the service is as the files are, or notes that it is not."""
        begun, now = time.monotonic(), self._journal.now
        figures = self._figures
        figures.checkpoints += 1
        figures.invalid_checkpoints += not now.valid
        state = await self._get("/v1/config")
        while not self._is_as_wanted(state):
            if time.monotonic() > begun + _CONVERGE_SECONDS:
                self._diverge(f"the files are {now}, the service says {_short(state)}")
                break
            await asyncio.sleep(_ASK_SECONDS)
            state = await self._get("/v1/config")
        active: str = state["active"]["digest"]
        if now.valid and active not in self._active and begun - now.made < 0.05:
            figures.active_seconds.append(time.monotonic() - now.made)
        self._ever |= self._journal.may_be_active()
        self._active = {active}
        self._journal.checkpoint()
        await self._compare_check()

    def _is_as_wanted(self, state: Any) -> bool:
        now, active, rejected = self._journal.now, state["active"]["digest"], state["rejected"]
        if now.valid:
            return bool(active == now.digest and rejected is None)
        # The last one that was valid and at rest; which of several within a few edits, only
        # the service knows.
        allowed = self._active | self._journal.may_be_active()
        return active in allowed and rejected is not None and rejected["digest"] == now.digest

    async def _compare_check(self) -> None:
        """`interlock check` must find the files valid exactly if they are."""

        def is_valid() -> bool:
            loaded, toolbox = check(
                read_tree(self._current), self._environment, project=self._current
            )
            if toolbox is not None:
                toolbox.forget()
            return not any(each.severity == "error" for each in loaded.found)

        if await asyncio.to_thread(is_valid) != self._journal.now.valid:
            self._diverge(f"the files are {self._journal.now}, but not for interlock check")

    async def _compare_history(self) -> None:
        """Nothing was ever active that was not valid and at rest, and nothing twice in a row."""
        digests: list[str] = []
        path = "/v1/config/history?limit=200"
        while True:
            page = await self._get(path)
            digests += (each["digest"] for each in page["activations"])
            if page["next"] is None:
                break
            path = f"/v1/config/history?limit=200&before={page['next']}"
        self._figures.applied = len(digests) - 1
        for digest in set(digests) - self._ever:
            self._diverge(f"{digest} was active, and was never valid and at rest")
        for newer, older in pairwise(digests):
            if newer == older:
                self._diverge(f"{newer} was activated twice in a row")

    async def _count_rejected(self) -> int:
        async with self._client.get("/metrics") as answer:
            text = await answer.text()
        name = "interlock_config_reload_rejected_total"
        return sum(int(float(n)) for n in re.findall(rf"^{name}{{.*}} (\S+)$", text, re.MULTILINE))

    async def _drained(self) -> None:
        """With no turn left, no earlier generation is left either."""
        state = await self._get("/v1/config")
        if state["draining"]:
            self._diverge(f"still draining: {state['draining']}")

    async def _get(self, path: str) -> Any:
        async with self._client.get(path) as answer:
            answer.raise_for_status()
            return await answer.json()

    def _diverge(self, text: str) -> None:
        self._figures.divergences.append(f"after {self._figures.edits} edits: {text}")


def _short(state: Any) -> str:
    rejected = state["rejected"]
    return f"active {state['active']['digest']}, rejected {rejected and rejected['digest']}" + (
        f" ({rejected['reason']}, {rejected['findings'][0]['text']})" if rejected else ""
    )
