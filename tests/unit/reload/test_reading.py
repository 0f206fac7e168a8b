from __future__ import annotations

import threading

import pytest

from interlock.config.source import Source
from interlock.reload.reading import Reader


async def test_the_files_are_read_in_another_thread() -> None:
    threads: list[str] = []

    def read() -> Source:
        threads.append(threading.current_thread().name)
        return Source({"a": b"1"})

    assert (await Reader(read).read()).files == {"a": b"1"}
    assert threads == ["interlock-read"]


async def test_a_failure_is_raised_to_whoever_reads() -> None:
    def read() -> Source:
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        await Reader(read).read()


async def test_a_file_system_that_hangs_is_a_finding_and_takes_one_thread() -> None:
    hanging, calls = threading.Event(), []

    def read() -> Source:
        calls.append(1)
        hanging.wait(60)
        return Source({"a": b"1"})

    reader = Reader(read, seconds=0.05)
    try:
        for _ in range(3):
            source = await reader.read()
            (found,) = source.found
            assert (found.code, source.files) == ("ILK-R001", {})
            assert "no answer from the file system" in found.message
        assert len(calls) == 1
    finally:
        hanging.set()
    patient = Reader(read)
    assert (await patient.read()).files == {"a": b"1"}


async def test_after_a_hang_the_files_are_read_again() -> None:
    hanging, calls = threading.Event(), []

    def read() -> Source:
        calls.append(1)
        hanging.wait(60)
        return Source({"a": str(len(calls)).encode()})

    reader = Reader(read, seconds=0.05)
    assert (await reader.read()).found
    hanging.set()
    # Not what the reading that hung has read, which is older than the question.
    assert (await reader.read()).files == {"a": b"2"}
