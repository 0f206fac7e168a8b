from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from interlock.model.tool import Tool
from interlock.tools.toolbox import Toolbox

Build = Callable[..., Toolbox]


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Builds toolboxes, and closes them after the test."""
    built: list[Toolbox] = []

    def build(
        *tools: Tool, env: dict[str, str] | None = None, files: dict[str, bytes] | None = None
    ) -> Toolbox:
        built.append(Toolbox.build(tools, env=env or {}, files=files or {}))
        return built[-1]

    yield build
    for toolbox in built:
        await toolbox.close()
