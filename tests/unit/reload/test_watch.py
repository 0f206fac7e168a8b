"""The watcher with announcements that the test makes; `tests/e2e/reload` has the kernel's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from watchfiles import Change
from watchfiles.main import FileChange

from interlock.reload.watch import Watch, explain_failure
from tests.unit.reload.waiting import until

HOUR = 3600.0
SECONDS = 10


class Announcements:
    """Stands in for the kernel: keeps what is watched, and announces what it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.armed: asyncio.Queue[tuple[Path, ...]] = asyncio.Queue()
        self._batches: dict[tuple[Path, ...], asyncio.Queue[set[FileChange]]] = {}

    async def __call__(
        self, *folders: Path, recursive: bool, stop: asyncio.Event
    ) -> AsyncGenerator[set[FileChange], None]:
        if self.failure is not None:
            raise self.failure
        batches = self._batches[folders] = asyncio.Queue()
        self.armed.put_nowait(folders)
        yield set()
        stopped = asyncio.create_task(stop.wait())
        while not stop.is_set():
            batch = asyncio.create_task(batches.get())
            await asyncio.wait({stopped, batch}, return_when=asyncio.FIRST_COMPLETED)
            if batch.done():
                yield batch.result()
            else:
                batch.cancel()

    def announce(self, folders: tuple[Path, ...], change: Change, path: Path) -> None:
        self._batches[folders].put_nowait({(change, str(path))})


class Naps:
    """Sleeps that last until the test says so."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[float] = asyncio.Queue()
        self._end = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.begun.put_nowait(seconds)
        self._end.clear()
        await self._end.wait()

    def end(self) -> None:
        self._end.set()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "agents.d").mkdir()
    (tmp_path / "tools.d").mkdir()
    return tmp_path


@asynccontextmanager
async def running(watch: Watch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(SECONDS):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def folders(project: Path) -> tuple[Path, ...]:
    return (project / "agents.d", project / "tools.d")


async def test_an_announcement_wakes(project: Path) -> None:
    kernel = Announcements()
    watch = Watch(project, resync=lambda: HOUR, announce=kernel)
    async with running(watch):
        assert {await kernel.armed.get(), await kernel.armed.get()} == {
            (project,),
            folders(project),
        }
        # What happened before watching began was not announced.
        assert await watch.next() == "event"
        kernel.announce(folders(project), Change.modified, project / "agents.d" / "x.yaml")
        assert await watch.next() == "event"
        assert watch.up
        assert (watch.failure, watch.restarts) == (None, 0)


async def test_without_an_announcement_it_wakes_all_the_same(project: Path) -> None:
    watch = Watch(project, resync=lambda: 0.01, announce=Announcements())
    assert [await watch.next() for _ in range(3)] == ["resync"] * 3


async def test_announcements_while_nobody_waits_are_one_wake(project: Path) -> None:
    kernel = Announcements()
    resync = [HOUR]
    watch = Watch(project, resync=lambda: resync[0], announce=kernel)
    async with running(watch):
        await kernel.armed.get()
        await kernel.armed.get()
        await watch.next()
        for number in range(5):
            kernel.announce((project,), Change.added, project / str(number))
        assert await watch.next() == "event"
        resync[0] = 0.01
        while await watch.next() == "event":
            pass


@pytest.mark.parametrize(
    "error",
    [
        OSError("Error creating recommended watcher: Too many open files (os error 24)"),
        OSError("No space left on device (os error 28)"),
        RuntimeError("watch thread unexpectedly received a signal"),
    ],
)
async def test_a_failure_is_told_once_and_tried_again(
    project: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    kernel, naps = Announcements(failure=error), Naps()
    watch = Watch(project, resync=lambda: HOUR, announce=kernel, sleep=naps)
    async with running(watch):
        for _ in range(3):
            assert await naps.begun.get() == 30.0
            assert watch.failure == explain_failure(error)
            assert not watch.up
            naps.end()
        await naps.begun.get()
        assert watch.restarts == 3
        kernel.failure = None
        naps.end()
        await kernel.armed.get()
        await until(lambda: watch.up)
        assert watch.failure is None
    assert len(caplog.records) == 1
    assert "found every 3600 s only" in caplog.text


def test_a_failure_names_the_setting_of_the_kernel() -> None:
    instances = explain_failure(OSError("Too many open files (os error 24)"))
    assert "fs.inotify.max_user_instances" in instances
    for text in ("No space left on device (os error 28)", "OS file watch limit reached."):
        assert "fs.inotify.max_user_watches" in explain_failure(OSError(text))
    assert explain_failure(RuntimeError("odd")) == "odd"
    assert explain_failure(RuntimeError()) == "RuntimeError"


@pytest.mark.parametrize("change", [Change.deleted, Change.added])
async def test_a_replaced_folder_is_watched_anew(project: Path, change: Change) -> None:
    kernel = Announcements()
    watch = Watch(project, resync=lambda: HOUR, announce=kernel)
    async with running(watch):
        for _ in range(2):
            await kernel.armed.get()
        kernel.announce((project,), change, project / "agents.d")
        assert {await kernel.armed.get(), await kernel.armed.get()} == {
            (project,),
            folders(project),
        }
        assert watch.restarts == 1


async def test_a_folder_that_is_another_one_by_now_is_found_without_an_announcement(
    project: Path,
) -> None:
    kernel = Announcements()
    watch = Watch(project, resync=lambda: 0.01, announce=kernel)
    async with running(watch):
        for _ in range(2):
            await kernel.armed.get()
        (project / "plugins").mkdir()
        armed = {await kernel.armed.get(), await kernel.armed.get()}
        assert armed == {(project,), (*folders(project), project / "plugins")}


async def test_a_missing_project_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project, kernel = tmp_path / "later", Announcements()
    watch = Watch(project, resync=lambda: 0.01, announce=kernel)
    async with running(watch):
        await until(lambda: watch.failure is not None)
        assert watch.failure == f"there is no folder {project}"
        project.mkdir()
        assert await kernel.armed.get() == (project,)
        await until(lambda: watch.failure is None)
    assert "there is no folder" in caplog.text
