"""Switching off and on in the store of a project that no service uses."""

from __future__ import annotations

import asyncio
import getpass
import json
from pathlib import Path

import pytest

from interlock.cli.main import main
from interlock.store.sqlite import take_lock
from interlock.store.store import Store
from tests.unit.cli.projects import write_project


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project in the current folder, with an empty store."""
    monkeypatch.delenv("INTERLOCK_URL", raising=False)
    monkeypatch.chdir(write_project(tmp_path))
    asyncio.run(_make_store(tmp_path))
    return tmp_path


async def _make_store(project: Path) -> None:
    async with await Store.open("sqlite:///var/store.db", project=project):
        pass


def active(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    capsys.readouterr()
    assert run("switches", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)["switches"]
    assert isinstance(found, list)
    return found


def test_an_agent_is_switched_off_and_on(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("switches") == 0
    assert capsys.readouterr().out == "nothing is switched off\n"
    assert run("disable", "agent", "helper", "--why", " it loops ") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("agent helper is off since 20")
    assert second == "no service runs here now; the next one that starts heeds it"
    (switch,) = active(capsys)
    assert (switch["kind"], switch["name"], switch["why"]) == ("agent", "helper", "it loops")
    assert switch["who"] == getpass.getuser()
    assert run("enable", "agent", "helper") == 0
    assert capsys.readouterr().out == "agent helper is on\n"
    assert active(capsys) == []


def test_a_tool_is_switched_off_for_one_agent(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("tool", "hand_over", "--agent", "helper")
    assert run("disable", *arguments, "--why", "queue is full") == 0
    assert capsys.readouterr().out.startswith("tool hand_over of helper is off since ")
    assert run("switches") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["what", "name", "off", "since", "(UTC)", "by", "why"]
    assert row.startswith("tool  hand_over (of helper)  20")
    assert row.endswith("queue is full")
    # For all agents it has never been off.
    assert run("enable", "tool", "hand_over") == 0
    assert len(active(capsys)) == 1
    assert run("enable", *arguments) == 0
    assert active(capsys) == []


@pytest.mark.parametrize("command", [["disable"], ["enable"]])
@pytest.mark.parametrize(
    ("target", "words"),
    [
        (["agent", "helpr"], "there is no agent 'helpr'; did you mean 'helper'?"),
        (["tool", "helper"], "there is no tool 'helper'; declared are: hand_over"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    target: list[str],
    words: str,
) -> None:
    why = ["--why", "x"] if command == ["disable"] else []
    assert run(*command, *target, *why) == 1
    assert capsys.readouterr().err == f"error[not_declared]: {words}\n"
    assert active(capsys) == []


def test_what_is_declared_no_more_can_be_switched_on(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("disable", "agent", "helper", "--why", "x") == 0
    agent = project / "agents.d/helper.yaml"
    agent.write_text(agent.read_text().replace("name: helper", "name: other"))
    assert run("enable", "agent", "helper") == 0
    assert active(capsys) == []


def test_a_broken_agent_can_be_named_no_more_but_others_can(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "agents.d/broken.yaml").write_text("name: [")
    assert run("disable", "agent", "helper", "--why", "x") == 0
    assert [switch["name"] for switch in active(capsys)] == ["helper"]


def test_a_running_service_is_pointed_to(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with take_lock(project / "var/store.db"):
        assert run("disable", "agent", "helper", "--why", "x") == 1
        error = capsys.readouterr().err
        assert "is in use by another process" in error
        assert error.endswith(
            "(a service that is running is told with --url http://127.0.0.1:8080)\n"
        )
        # Looking is always possible.
        assert active(capsys) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["disable", "agent", "helper"],
        ["disable", "agent", "helper", "--why", " "],
        ["disable", "agent", "helper", "--why", "x", "--agent", "helper"],
        ["disable", "model", "helper", "--why", "x"],
        ["enable", "agent"],
    ],
)
def test_wrong_usage_is_exit_code_2(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(*arguments) == 2
    assert "Usage: interlock" in capsys.readouterr().err
