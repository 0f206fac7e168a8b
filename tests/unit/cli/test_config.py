"""`interlock config` on a project's own store and files."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from interlock.cli.main import main
from interlock.config.source import Source, read_tree
from interlock.store.store import Store
from tests.unit.cli.projects import AGENT, write_project

AT = datetime(2026, 11, 22, 3, 14, 15, tzinfo=UTC)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(("config", *arguments))
    code = ended.value.code
    assert isinstance(code, int)
    return code


async def _record(project: Path, sources: list[Source]) -> None:
    async with await Store.open("sqlite:///var/store.db", project=project) as store:
        before = None
        for number, source in enumerate(sources):
            await store.record_activation(
                digest=source.digest,
                files=source.files,
                previous=before,
                at=AT.replace(second=number),
                trigger="api" if number else "start",
                who="night-shift" if number else None,
                why=f"change {number}" if number else None,
            )
            before = source.digest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which two configurations were active, the files being the second."""
    for name in ("INTERLOCK_URL", "INTERLOCK_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    write_project(tmp_path)
    first = read_tree(tmp_path)
    write_project(tmp_path, agents__helper=f"{AGENT}limits: {{maxTokens: 60000}}\n")
    asyncio.run(_record(tmp_path, [first, read_tree(tmp_path)]))
    return tmp_path


def digests(project: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run("list", "--project", str(project), "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["active"] == found["activations"][0]["digest"]
    return [entry["digest"] for entry in found["activations"]]


def test_the_history_is_a_table(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second, first = digests(project, capsys)
    assert run("list", "--project", str(project)) == 0
    assert capsys.readouterr().out == (
        "   active since (UTC)   digest        by     who          why\n"
        f"*  2026-11-22 03:14:01  {second[:12]}  api    night-shift  change 1\n"
        f"   2026-11-22 03:14:00  {first[:12]}  start  -\n"
    )


def test_the_newest_are_listed_and_no_more(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--project", str(project), "--limit", "1", "--format", "json") == 0
    (entry,) = json.loads(capsys.readouterr().out)["activations"]
    assert (entry["trigger"], entry["who"], entry["why"]) == ("api", "night-shift", "change 1")
    assert run("list", "--project", str(project), "--limit", "0") == 2


def test_the_files_of_a_configuration_are_shown(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, first = digests(project, capsys)
    assert run("show", first[:8], "--project", str(project)) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert (head, columns.split()) == (first, ["bytes", "sha256", "path"])
    assert rows[0].split()[0] == str(len(AGENT))
    assert [row.split()[2] for row in rows] == [
        "agents.d/helper.yaml",
        "interlock.yaml",
        "tools.d/people.yaml",
    ]
    assert run("show", "previous", "--project", str(project), "--format", "json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["digest"] == first
    assert shown["files"][0]["bytes"] == len(AGENT)


def test_a_file_is_given_out_byte_by_byte(
    project: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("show", "previous", "agents.d/helper.yaml", "--project", str(project)) == 0
    assert capfdbinary.readouterr().out == AGENT.encode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "ffffffff"], "error[unknown_snapshot]: no configuration is kept"),
        (["show", "xyz"], "error[unknown_snapshot]: 'xyz' is not a digest"),
        (["diff", "active", "ffffffff"], "error[unknown_snapshot]: no configuration is kept"),
        (
            ["show", "active", "agents.d/help.yaml"],
            "error[unknown_file]: ",
        ),
        (["show", "active", "agents.d/help.yaml"], "did you mean 'agents.d/helper.yaml'?"),
        (["explain", "agents.helpr"], "error[unknown_path]: there is no 'agents.helpr'"),
    ],
)
def test_what_is_not_there_is_told(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(*arguments, "--project", str(project)) == 1
    assert words in capsys.readouterr().err


def test_the_last_change_is_shown_in_meaning(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second, first = digests(project, capsys)
    assert run("diff", "--project", str(project)) == 0
    head, line, total = capsys.readouterr().out.splitlines()
    assert head == f"{first[:12]} → {second[:12]}"
    assert line.startswith("helper: limits.maxTokens 50000 → 60000 (widening: ")
    assert total == "1 change, 1 of them widening"
    assert run("diff", second, first, "--project", str(project), "--format", "json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["from"], shown["to"]) == (second, first)
    (change,) = shown["changes"]
    assert (change["before"], change["after"], change["widening"]) == ("60000", "50000", False)


def test_a_value_is_explained_by_its_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("explain", "agents.helper.limits.maxTokens", "--project", str(project)) == 0
    assert capsys.readouterr().out == (
        "agents.helper.limits.maxTokens = 60000\n"
        "agents.d/helper.yaml:6:21\n"
        "Input and output tokens of all model calls of one conversation.\n"
    )


def test_a_default_is_explained_by_where_it_could_be_set(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, way in (
        (
            "agents.helper.limits.warnAt",
            "default of Limits.warnAt; to change it, add warnAt under 'limits' at "
            "agents.d/helper.yaml:6:1",
        ),
        ("server.port", "default of Server.port; to change it, add server.port to interlock.yaml"),
    ):
        assert run("explain", path, "--project", str(project)) == 0
        assert capsys.readouterr().out.splitlines()[1] == way
    assert run("explain", "server.port", "--project", str(project), "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "path": "server.port",
        "value": 8080,
        "file": "interlock.yaml",
        "line": 1,
        "column": 1,
        "default": "Server.port",
        "under": "",
        "missing": "server.port",
        "about": "0 takes any free port.",
        "children": [],
    }


def test_the_parts_of_a_mapping_are_a_table(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("explain", "agents.helper.models", "--project", str(project)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["agents.helper.models", "agents.d/helper.yaml:3:1"]
    assert lines[4:] == [
        "key       value  where",
        "plan      small  agents.d/helper.yaml:3:16",
        "execute   small  agents.d/helper.yaml:3:32",
        "reason    null   default",
        "validate  null   default",
        "fastPath  null   default",
    ]


def test_a_broken_project_is_explained_as_far_as_it_can_be_read(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(project, agents__other="name: [")
    assert run("explain", "agents.helper.models.plan", "--project", str(project)) == 0
    assert "= small" in capsys.readouterr().out
    assert run("explain", "agents.other", "--project", str(project)) == 1
    assert "(1 error may hide it, which interlock check shows)" in capsys.readouterr().err


def test_without_a_store_there_is_no_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INTERLOCK_URL", raising=False)
    write_project(tmp_path)
    assert run("list", "--project", str(tmp_path)) == 1
    assert "error[store_unavailable]: there is no store" in capsys.readouterr().err


def test_a_rollback_needs_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rollback", "previous") == 2
    assert "--why" in capsys.readouterr().err
