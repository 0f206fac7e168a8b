from __future__ import annotations

import asyncio
import threading

import pytest

from interlock.reload.aside import run_aside


async def test_the_result_comes_from_a_thread_that_the_process_does_not_wait_for() -> None:
    def work() -> tuple[str, bool]:
        thread = threading.current_thread()
        return thread.name, thread.daemon

    assert await run_aside(work, name="test") == ("interlock-test", True)


async def test_whatever_is_raised_is_raised_to_whoever_waits() -> None:
    def work() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit) as ended:
        await run_aside(work, name="test")
    assert ended.value.code == 3


async def test_the_event_loop_goes_on_meanwhile() -> None:
    go = threading.Event()
    working = asyncio.create_task(run_aside(lambda: go.wait(60), name="test"))
    await asyncio.sleep(0)
    go.set()
    assert await working


@pytest.mark.parametrize("fails", [False, True])
async def test_a_result_that_nobody_waits_for_is_handed_over(fails: bool) -> None:
    go = threading.Event()
    late: asyncio.Queue[str] = asyncio.Queue()

    def work() -> str:
        go.wait(60)
        if fails:
            raise ValueError("late")
        return "done"

    working = asyncio.create_task(run_aside(work, name="test", abandoned=late.put_nowait))
    await asyncio.sleep(0)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    go.set()
    if fails:
        # Of a failure there is nothing to hand over; the next thread ends after this one.
        await run_aside(lambda: None, name="test")
        assert late.empty()
    else:
        async with asyncio.timeout(30):
            assert await late.get() == "done"
