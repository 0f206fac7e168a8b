"""Work that blocks, in a thread of its own that the process does not wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["run_aside"]

T = TypeVar("T")


async def run_aside(
    function: Callable[[], T], *, name: str, abandoned: Callable[[T], None] | None = None
) -> T:
    """What `function` gives, or what it raises.

    A shared pool would not do: a file system that hangs must not take the threads of others, nor
    keep the process from ending. If the wait is cancelled, the thread goes on; `abandoned` then
    gets its result, in the event loop.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if not future.done():
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # a result, as there is no error
        elif error is None and abandoned is not None:
            abandoned(result)  # type: ignore[arg-type]  # the same

    def run() -> None:
        result, error = None, None
        try:
            result = function()
        except BaseException as raised:
            # Whoever waits hears about it; in a thread nobody else would.
            error = raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            # The loop is closed: nobody is left who could want the result.
            return

    threading.Thread(target=run, name=f"interlock-{name}", daemon=True).start()
    return await future
