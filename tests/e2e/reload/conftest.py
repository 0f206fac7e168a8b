from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from interlock.sim import SimServer, parse_rules
from tests.e2e.reload.project import Project
from tests.e2e.service.gate import Gate, open_gate
from tests.e2e.service.project import RULES


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    async with open_gate() as gate:
        yield gate


@pytest.fixture
async def environment(gate: Gate) -> AsyncIterator[Mapping[str, str]]:
    """A simulator, and a gate that a tool waits at."""
    async with SimServer(parse_rules(RULES.encode(), "sim.yaml")) as sim:
        yield {"MODEL_URL": sim.base_url, "GATE_URL": gate.url}
