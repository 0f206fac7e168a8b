"""Schemas on disk: written, found current, found stale."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.cli.processes import interlock


def test_a_stale_schema_is_found_and_written_anew(project: Path) -> None:
    current = interlock("schema", "--check", "schemas", cwd=project)
    assert (current.returncode, current.stdout) == (0, "current: schemas\n")

    path = project / "schemas" / "agent.json"
    schema = json.loads(path.read_text())
    del schema["properties"]["limits"]
    path.write_text(json.dumps(schema))
    stale = interlock("schema", "--check", "schemas", cwd=project)
    assert (stale.returncode, stale.stdout) == (1, "stale: schemas/agent.json\n")
    assert stale.stderr == "write them anew with: interlock schema --write schemas\n"

    assert interlock("schema", "--write", "schemas", cwd=project).returncode == 0
    assert interlock("schema", "--check", "schemas", cwd=project).returncode == 0
