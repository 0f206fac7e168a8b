from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli.processes import interlock, running


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, as `interlock init` writes it; nobody changes it."""
    folder = tmp_path_factory.mktemp("starter")
    made = interlock("init", "project", cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder / "project"


@pytest.fixture
def project(starter: Path, tmp_path: Path) -> Path:
    """A new project of the test's own."""
    return Path(shutil.copytree(starter, tmp_path / "project"))


@pytest.fixture(scope="session")
def model(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that leads to a simulator with the starter's rules."""
    rules, folder = str(starter / "sim.yaml"), tmp_path_factory.mktemp("simulator")
    with running("sim", rules, "--port", "0", cwd=folder) as sim:
        assert sim.said.startswith("Interlock simulator, not a model: ")
        yield {"INTERLOCK_MODEL_URL": sim.url}
