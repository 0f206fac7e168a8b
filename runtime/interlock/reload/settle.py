"""Waiting until files are no longer being written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from interlock.config.source import Source

__all__ = ["MOST_SECONDS", "settle"]

MOST_SECONDS = 5.0
"""How long files may keep changing before somebody is told."""


async def settle(
    read: Callable[[], Awaitable[Source]],
    first: Source,
    *,
    quiet: float,
    sleep: Callable[[float], Awaitable[None]],
) -> Source | None:
    """The files, once two readings that are `quiet` seconds apart are the same.

    None if they have not come to rest within `MOST_SECONDS`: whatever was read by then may be
    half of something. Two readings can be the same by chance while several files are being
    written one after the other; only a change of the whole directory at once rules that out.
    """
    waited, before = 0.0, first
    while waited < MOST_SECONDS:
        await sleep(quiet)
        waited += quiet
        now = await read()
        if now.fingerprint == before.fingerprint:
            return now
        before = now
    return None
