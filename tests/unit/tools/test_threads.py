from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest

from interlock.tools.threads import AllThreadsStuck, Threads

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="none")


async def test_a_function_runs_in_a_thread_with_the_context_of_the_caller() -> None:
    VARIABLE.set("mine")
    future = await Threads(1).start(lambda: (threading.current_thread().name, VARIABLE.get()))
    assert await future == ("interlock-tool", "mine")


async def test_no_more_functions_run_together_than_allowed() -> None:
    threads, go = Threads(2), threading.Event()
    running = [await threads.start(go.wait) for _ in range(2)]
    third = asyncio.create_task(threads.start(lambda: "third"))
    await asyncio.sleep(0)
    assert not third.done()
    go.set()
    assert await asyncio.gather(*running) == [True, True]
    assert await (await third) == "third"


async def test_a_wait_for_a_thread_can_be_cancelled() -> None:
    threads, go, begun = Threads(1), threading.Event(), threading.Event()
    running = await threads.start(go.wait)
    waiting = asyncio.create_task(threads.start(begun.set))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    go.set()
    await running
    assert await (await threads.start(lambda: "free")) == "free"
    assert not begun.is_set()


async def test_with_all_threads_stuck_nothing_is_waited_for() -> None:
    threads, go = Threads(1), threading.Event()
    running = await threads.start(go.wait)
    threads.give_up(running)
    assert threads.stuck == 1
    with pytest.raises(AllThreadsStuck):
        await threads.start(lambda: None)
    go.set()
    await running
    assert threads.stuck == 0
    assert await (await threads.start(lambda: "free again")) == "free again"


async def test_giving_up_what_has_ended_counts_nothing() -> None:
    threads = Threads(1)
    future = await threads.start(lambda: None)
    await future
    threads.give_up(future)
    assert threads.stuck == 0


def test_a_stuck_thread_does_not_keep_the_process_from_ending() -> None:
    source = """
import asyncio, threading
from interlock.tools.threads import Threads

async def main():
    threads = Threads(1)
    threads.give_up(await threads.start(threading.Event().wait))

asyncio.run(main())
print("ended")
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "ended\n"
