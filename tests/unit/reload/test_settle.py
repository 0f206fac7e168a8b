from __future__ import annotations

from collections.abc import Callable

import pytest

from interlock.config.source import Source
from interlock.reload.settle import MOST_SECONDS, settle

QUIET = 0.3


class Files:
    """Files whose content depends on a clock that only `sleep` moves."""

    def __init__(self, content: Callable[[float], str]) -> None:
        self.time = 0.0
        self.readings = 0
        self._content = content

    def now(self) -> Source:
        return Source({"a": self._content(round(self.time, 6)).encode()})

    async def read(self) -> Source:
        self.readings += 1
        return self.now()

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    async def settle(self) -> Source | None:
        return await settle(self.read, self.now(), quiet=QUIET, sleep=self.sleep)


async def test_what_rests_is_given_after_one_quiet_time() -> None:
    files = Files(lambda time: "whole")
    settled = await files.settle()
    assert settled is not None
    assert settled.files == {"a": b"whole"}
    assert (files.time, files.readings) == (QUIET, 1)


async def test_a_slow_writer_is_waited_for() -> None:
    # Six pieces, 200 ms apart: three looks of 300 ms fall between them.
    files = Files(lambda time: "x" * min(6, int(time / 0.2) + 1))
    settled = await files.settle()
    assert settled is not None
    assert settled.files == {"a": b"xxxxxx"}
    assert files.time == pytest.approx(1.5)


async def test_what_is_given_is_what_was_read_last() -> None:
    contents = iter(["one", "two", "two"])
    files = Files(lambda time: next(contents))
    settled = await files.settle()
    assert settled is not None
    assert settled.files == {"a": b"two"}


async def test_what_never_rests_is_not_given() -> None:
    files = Files(lambda time: str(time))
    assert await files.settle() is None
    assert MOST_SECONDS <= files.time < MOST_SECONDS + 2 * QUIET


async def test_a_file_that_becomes_unreadable_is_a_change() -> None:
    from interlock.config.listing import unreadable

    whole = Source({"a": b"x"})
    broken = Source({}, (unreadable("a", "Permission denied"),))
    readings = iter([broken, whole, whole])

    async def read() -> Source:
        return next(readings)

    async def sleep(seconds: float) -> None:
        return None

    assert await settle(read, whole, quiet=QUIET, sleep=sleep) is whole
