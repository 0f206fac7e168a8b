"""How long it takes until a change is active, in each way that watching is known to go wrong.

    python -m benchmarks.watching [--times 5]

A real `interlock serve` process follows a small project with the default rules: 300 ms of quiet,
and a look at all files every 2 s. Times are from the end of the last write to the first
`GET /v1/config` that shows the content, asked every few milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from benchmarks.figures import percentile
from benchmarks.processes import Server, start
from benchmarks.soak.project import Mount, Texts, write_project
from interlock.config.source import read_tree

__all__ = ["SCENARIOS", "Result", "main", "measure"]

_ASK_SECONDS = 0.005
_GIVE_UP_SECONDS = 60
_AGENT = "agents.d/steady_0.yaml"
_EDITIONS = count(1)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a scenario is played."""

    current: Path
    """The project, which is a link."""
    service: Server

    @property
    def agent(self) -> Path:
        return self.current / _AGENT

    def write(self, path: Path | None = None) -> None:
        """Writes the next edition of an agent into its file, or elsewhere."""
        (path or self.agent).write_text(Texts().of(_AGENT, next(_EDITIONS)))


Scenario = Callable[[_Place], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Result:
    """What a scenario led to."""

    name: str
    seconds: list[float]
    """From the last write to the activation."""
    activations: int
    missed: int
    """Changes that were found without having been announced."""


async def _swap(place: _Place) -> None:
    Mount(place.current).swap(Texts().of_mount(next(_EDITIONS)))


async def _write_slowly(place: _Place) -> None:
    text = Texts().of(_AGENT, next(_EDITIONS))
    size = len(text) // 6 + 1
    with place.agent.open("w") as file:
        for begin in range(0, len(text), size):
            if begin:
                await asyncio.sleep(0.2)
            file.write(text[begin : begin + size])
            file.flush()


async def _save_as_an_editor(place: _Place) -> None:
    new, backup = place.agent.with_suffix(".new"), place.agent.with_name("steady_0.yaml~")
    place.write(new)
    os.rename(place.agent, backup)
    os.rename(new, place.agent)
    backup.unlink()


async def _remake_folder(place: _Place) -> None:
    folder, kept = place.current / "agents.d", place.current.with_name("kept")
    shutil.copytree(folder, kept, symlinks=True)
    shutil.rmtree(folder)
    await asyncio.sleep(1)
    shutil.copytree(kept, folder, symlinks=True)
    shutil.rmtree(kept)
    place.write()


async def _remake_root(place: _Place) -> None:
    root, kept = place.current.resolve(), place.current.with_name("kept")
    shutil.copytree(root, kept, symlinks=True)
    shutil.rmtree(root)
    await asyncio.sleep(1)
    shutil.copytree(kept, root, symlinks=True)
    shutil.rmtree(kept)
    place.write()


async def _turn_link(place: _Place) -> None:
    before = place.current.resolve()
    after = before.with_name(f"release{next(_EDITIONS)}")
    shutil.copytree(before, after, symlinks=True)
    place.write(after / _AGENT)
    link = place.current.with_name("next")
    link.symlink_to(after)
    os.replace(link, place.current)


async def _write_in_new_folders(place: _Place) -> None:
    new = place.current / "agents.d" / "new"
    if new.exists():
        shutil.rmtree(new)
    for _ in range(20):
        folder = new / str(next(_EDITIONS)) / "x"
        folder.mkdir(parents=True)
        (folder / "note.md").write_text("A note.")


async def _write_outside(place: _Place) -> None:
    outside = place.current.with_name("outside.yaml")
    if not place.agent.is_symlink():
        place.write(outside)
        place.agent.unlink()
        place.agent.symlink_to(outside)
        # The link itself is announced; what it leads to is written when that is settled.
        await asyncio.sleep(3)
    place.write(outside)


async def _write_twice(place: _Place) -> None:
    place.write()
    await asyncio.sleep(0.55)
    place.write()


async def _keep_stamp(place: _Place) -> None:
    status = place.agent.stat()
    place.write()
    os.utime(place.agent, ns=(status.st_atime_ns, status.st_mtime_ns))


async def _overflow(place: _Place) -> None:
    """Makes more announcements than the kernel has room for, while nobody takes them."""
    os.kill(place.service.pid, signal.SIGSTOP)
    try:
        await asyncio.to_thread(_flood, place.current / "agents.d" / ".litter")
        place.write()
    finally:
        os.kill(place.service.pid, signal.SIGCONT)


def _flood(litter: Path) -> None:
    room = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    # A creation and a removal are two announcements that cannot be made one.
    for _ in range(room):
        litter.touch()
        litter.unlink()


SCENARIOS: dict[str, Scenario] = {
    "1-3 ConfigMap swap": _swap,
    "4, 5 slow writer of 6 parts": _write_slowly,
    "6 editor's save by rename": _save_as_an_editor,
    "7 agents.d removed and made again": _remake_folder,
    "7 project removed and made again": _remake_root,
    "8 link to the project turned": _turn_link,
    "11 two edits, 0.55 s apart": _write_twice,
    "12 same size and modification time": _keep_stamp,
    "13 overflow of the kernel's queue": _overflow,
    "9 20 new folders with a file": _write_in_new_folders,
    # The last one, as the agent's file is a link from then on.
    "10 target of a link outside edited": _write_outside,
}
"""By the number of the pitfall in docs/watching.md."""


async def measure(times: int) -> list[Result]:
    """Plays each scenario so many times, one after the other."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "release0").mkdir()
        current = folder / "current"
        current.symlink_to(folder / "release0")
        write_project(current, Texts())
        settings = current / "interlock.yaml"
        links = settings.read_text().replace("reload: {", "reload: {followSymlinks: true, ")
        settings.write_text(links)
        environment = {
            "SOAK_SHOP_URL": "http://127.0.0.1:9",
            "SOAK_MODEL_URL": "http://127.0.0.1:9",
            "SOAK_STORE_URL": f"sqlite:///{folder}/var/watching.db",
        }
        command = ("-m", "interlock.cli.main", "serve", str(current), "--port", "0")
        with start(*command, environment=environment, log=folder / "service.log") as service:
            async with aiohttp.ClientSession(service.url) as client:
                place = _Place(current, service)
                return [
                    await _play(name, scenario, place, client, times)
                    for name, scenario in SCENARIOS.items()
                ]


async def _play(
    name: str, scenario: Scenario, place: _Place, client: aiohttp.ClientSession, times: int
) -> Result:
    seconds: list[float] = []
    before = await _until_active(place, client)
    missed = await _missed(client)
    for _ in range(times):
        await _until_watching(client)
        await scenario(place)
        written = time.perf_counter()
        after = await _until_active(place, client)
        seconds.append(time.perf_counter() - written)
    activations = after["active"]["generation"] - before["active"]["generation"]
    return Result(name, seconds, activations, await _missed(client) - missed)


async def _until_active(place: _Place, client: aiohttp.ClientSession) -> Any:
    digest = read_tree(place.current).digest
    async with asyncio.timeout(_GIVE_UP_SECONDS):
        while True:
            state = await _state(client)
            if state["active"]["digest"] == digest:
                return state
            await asyncio.sleep(_ASK_SECONDS)


async def _until_watching(client: aiohttp.ClientSession) -> None:
    """Waits until what was replaced is watched again, which a resync may have to find."""
    restarts = -1
    async with asyncio.timeout(_GIVE_UP_SECONDS):
        while True:
            watcher = (await _state(client))["watcher"]
            if watcher["state"] == "watching" and watcher["restarts"] == restarts:
                return
            restarts = watcher["restarts"]
            await asyncio.sleep(2.5)


async def _state(client: aiohttp.ClientSession) -> Any:
    async with client.get("/v1/config") as answer:
        return await answer.json()


async def _missed(client: aiohttp.ClientSession) -> int:
    async with client.get("/metrics") as answer:
        text = await answer.text()
    found = re.search(r"^interlock_config_watch_missed_total (\S+)$", text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.watching",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    results = asyncio.run(measure(args.times))
    table = Table(
        title=f"Active after a change, {args.times} times each;"
        f" load average {os.getloadavg()[0]:.1f}"
    )
    table.add_column("change")
    for column in ("median", "longest", "activations", "unannounced"):
        table.add_column(column, justify="right")
    for result in results:
        table.add_row(
            result.name,
            f"{percentile(result.seconds, 0.5):.2f} s",
            f"{max(result.seconds):.2f} s",
            str(result.activations),
            str(result.missed),
        )
    Console().print(table)


if __name__ == "__main__":
    main()
