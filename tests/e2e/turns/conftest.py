from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.e2e.support.shipped import shipped_project, shipped_rules
from tests.e2e.support.stack import Stack, run_stack


@pytest_asyncio.fixture(loop_scope="module")
async def shipped(tmp_path: Path) -> AsyncIterator[Stack]:
    """The project as it is shipped, with a shop and a simulator of the test's own."""
    async with run_stack(shipped_project(), shipped_rules(), tmp_path) as stack:
        yield stack
