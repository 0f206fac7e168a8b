"""One language server for all tests of editors; installed by the first run that needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.editor.draft import ROOT
from tests.e2e.editor.installation import install
from tests.e2e.editor.language_server import LanguageServer, running_server


@pytest.fixture(scope="session")
def command() -> tuple[str, ...]:
    """What runs the language server."""
    return install(ROOT / ".cache" / "editor")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def editor(command: tuple[str, ...]) -> AsyncIterator[LanguageServer]:
    """An editor that has the repository open."""
    async with running_server(command, ROOT) as server:
        yield server
