from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from interlock.sim import SimServer, parse_rules
from tests.e2e.service.gate import Gate, open_gate
from tests.e2e.service.project import RULES, write_project
from tests.e2e.service.running import Client, serving


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    async with open_gate() as gate:
        yield gate


@pytest.fixture
async def environment(gate: Gate) -> AsyncIterator[Mapping[str, str]]:
    """What the project refers to: a simulator, and the gate."""
    async with SimServer(parse_rules(RULES.encode(), "sim.yaml")) as sim:
        yield {"ANTHROPIC_API_KEY": "very-secret", "MODEL_URL": sim.base_url, "GATE_URL": gate.url}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


@pytest.fixture
async def client(project: Path, environment: Mapping[str, str]) -> AsyncIterator[Client]:
    async with serving(project, environment) as client:
        yield client
