"""Waiting for a state, for as long as it may take a busy machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SECONDS = 30


async def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails after a while."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await _others_work()


async def _others_work() -> None:
    await asyncio.sleep(0.001)
