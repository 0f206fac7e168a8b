"""Waking up when the files may have changed: by the kernel's word, and regularly without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from watchfiles import awatch
from watchfiles.main import FileChange

from interlock.config.listing import FOLDERS
from interlock.reload.aside import run_aside

__all__ = ["Announce", "Wake", "Watch", "announce", "explain_failure"]

Wake = Literal["event", "resync"]
"""Something was announced, or enough time has passed."""

_AGAIN_SECONDS = 30.0
"""Between two attempts to watch after one has failed."""

_LOG = logging.getLogger(__name__)


class Announce(Protocol):
    """How the kernel's announcements come: batches of changes until `stop` is set."""

    def __call__(
        self, *folders: Path, recursive: bool, stop: asyncio.Event
    ) -> AsyncGenerator[set[FileChange], None]:
        """Announces changes of the folders; of what is below them too if `recursive`."""
        ...


def announce(
    *folders: Path, recursive: bool, stop: asyncio.Event
) -> AsyncGenerator[set[FileChange], None]:
    """Announcements by watchfiles, as soon as they come and without leaving any out.

    Only folders are watched: a watched file is lost when it is replaced.
    """
    return awatch(
        *folders,
        watch_filter=None,
        recursive=recursive,
        stop_event=stop,
        # It need not wait for more to come: the files are read again until they are at rest.
        debounce=50,
        step=20,
        # Cannot be told to stop in between.
        rust_timeout=500,
        yield_on_timeout=True,
        # An environment variable would otherwise turn it into polling, which misses edits.
        force_polling=False,
        ignore_permission_denied=True,
    )


class Watch:
    """Wakes somebody up who then looks at all files.

    What is announced is never taken for what has changed: names are those of hidden folders,
    batches are cut anywhere, and the kernel drops what it has no room for. Watching fails
    without harm, as `resync` seconds later everything is looked at anyway.
    """

    def __init__(
        self,
        project: Path,
        *,
        resync: Callable[[], float],
        announce: Announce = announce,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.up = False
        """Whether changes are being announced."""
        self.failure: str | None = None
        """Why they are not, and what can be done about it."""
        self.restarts = 0
        """How often watching was begun anew."""
        self._project = project
        self._resync = resync
        self._announce = announce
        self._sleep = sleep
        self._stirred = asyncio.Event()

    @property
    def stirred(self) -> bool:
        """Whether something has been announced since the last wake."""
        return self._stirred.is_set()

    async def next(self) -> Wake:
        """Returns when it is time to look at the files."""
        try:
            async with asyncio.timeout(self._resync()):
                await self._stirred.wait()
        except TimeoutError:
            return "resync"
        self._stirred.clear()
        return "event"

    async def run(self) -> None:
        """Watches for ever, beginning anew when a folder was replaced or watching failed."""
        while True:
            try:
                await self._watch()
            except Exception as error:
                # The boundary of the watcher: it must not die. Operators read the log, the
                # metrics and the health; changes are still found, only later.
                self._report(explain_failure(error))
                await self._sleep(_AGAIN_SECONDS)
            finally:
                self.up = False
            self.restarts += 1

    async def _watch(self) -> None:
        """Watches until what is being watched is no longer what stands under its name."""
        armed = await self._identities()
        folders = [folder for folder in armed if folder != self._project]
        stop = asyncio.Event()
        if self._project not in armed:
            self._report(f"there is no folder {self._project}")
            await self._until_moved(armed, stop)
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                # Not below the project itself: there are databases and virtual environments.
                tasks.create_task(self._listen([self._project], stop, recursive=False))
                if folders:
                    tasks.create_task(self._listen(folders, stop, recursive=True))
                # What happened before watching began was not announced.
                self._stirred.set()
                await self._until_moved(armed, stop)
        except* Exception as errors:
            raise errors.exceptions[0] from None

    async def _listen(self, folders: list[Path], stop: asyncio.Event, *, recursive: bool) -> None:
        watched = {str(folder) for folder in (self._project, *folders)}
        watched |= {str(self._project / name) for name in FOLDERS}
        try:
            async with aclosing(
                self._announce(*folders, recursive=recursive, stop=stop)
            ) as batches:
                async for changes in batches:
                    # Batches come, also empty ones, only if watching could be begun.
                    self.up, self.failure = True, None
                    if not changes:
                        continue
                    self._stirred.set()
                    if any(path in watched for _, path in changes):
                        # A watch dies with its folder, also if another one has its name by now.
                        stop.set()
        finally:
            stop.set()

    async def _until_moved(self, armed: dict[Path, tuple[int, int]], stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                try:
                    async with asyncio.timeout(self._resync()):
                        await stop.wait()
                except TimeoutError:
                    if await self._identities() != armed:
                        return
        finally:
            stop.set()

    async def _identities(self) -> dict[Path, tuple[int, int]]:
        paths = (self._project, *(self._project / name for name in FOLDERS))
        return await run_aside(partial(_identities, paths), name="watch")

    def _report(self, failure: str) -> None:
        if failure != self.failure:
            _LOG.error(
                "changes of files are not announced, so they are found every %g s only: %s",
                self._resync(),
                failure,
            )
        self.failure = failure


def explain_failure(error: Exception) -> str:
    """What an error of the watcher means, with the setting of the kernel that is the way out."""
    text = str(error) or type(error).__name__
    if "(os error 24)" in text:
        return (
            f"{text}; too many inotify instances or open files: raise the sysctl "
            "fs.inotify.max_user_instances, or the limit of open files (ulimit -n)"
        )
    if "(os error 28)" in text or "watch limit" in text:
        return f"{text}; too many watched folders: raise the sysctl fs.inotify.max_user_watches"
    return text


def _identities(paths: tuple[Path, ...]) -> dict[Path, tuple[int, int]]:
    """The folders that are there, with what tells one from another of the same name."""
    found = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        if path.is_dir():
            found[path] = (status.st_dev, status.st_ino)
    return found
