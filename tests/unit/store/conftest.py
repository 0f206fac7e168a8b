"""An open store for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from interlock.store.store import Store


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A new store in `tmp_path/var/interlock.db`."""
    async with await Store.open("sqlite:///var/interlock.db", project=tmp_path) as opened:
        yield opened
