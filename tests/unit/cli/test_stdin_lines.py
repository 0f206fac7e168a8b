from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

from interlock.cli.stdin_lines import StdinLines

Pipe = tuple[StdinLines, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", closefd=False):
        yield StdinLines(reading), writing
        # A thread that comes late would read from whatever has the descriptor's number next.
        for thread in threading.enumerate():
            if thread.name == "interlock-stdin":
                thread.join()


async def test_lines_come_one_by_one_and_then_none(pipe: Pipe) -> None:
    lines, writing = pipe
    os.write(writing, "first\r\nsecond ö\n\nlast".encode())
    os.close(writing)
    assert [await lines.next() for _ in range(5)] == ["first", "second ö", "", "last", None]
    assert await lines.next() is None


async def test_a_line_may_come_in_pieces(pipe: Pipe) -> None:
    lines, writing = pipe
    os.write(writing, b"one li")
    waiting = asyncio.create_task(lines.next())
    os.write(writing, b"ne\n")
    assert await waiting == "one line"
    os.close(writing)


async def test_the_event_loop_goes_on_while_nothing_is_typed(pipe: Pipe) -> None:
    lines, writing = pipe
    waiting = asyncio.create_task(lines.next())
    went_on = asyncio.Event()
    asyncio.get_running_loop().call_soon(went_on.set)
    await went_on.wait()
    assert not waiting.done()
    os.close(writing)
    assert await waiting is None


async def test_waiting_can_be_given_up(pipe: Pipe) -> None:
    lines, writing = pipe
    waiting = asyncio.create_task(lines.next())
    started = asyncio.Event()
    asyncio.get_running_loop().call_soon(started.set)
    await started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(writing)


async def test_bytes_that_are_not_text_do_not_end_the_dialogue(pipe: Pipe) -> None:
    lines, writing = pipe
    os.write(writing, b"\xff\n")
    os.close(writing)
    assert await lines.next() == "\ufffd"
