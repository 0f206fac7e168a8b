from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from interlock.sim import SimServer, parse_rules
from tests.e2e.reload.project import Project
from tests.e2e.service.project import RULES


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture
async def environment() -> AsyncIterator[Mapping[str, str]]:
    """A simulator of the models."""
    async with SimServer(parse_rules(RULES.encode(), "sim.yaml")) as sim:
        yield {"MODEL_URL": sim.base_url}
