"""Breakers from the command line, against a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli.processes import Running, interlock, running

ARGUMENTS = ("serve", "--port", "0")


@pytest.fixture
def service(project: Path, model: dict[str, str]) -> Iterator[Running]:
    with running(*ARGUMENTS, cwd=project, environment=model) as service:
        yield service


def ask(service: Running, project: Path, *arguments: str) -> tuple[int, str, str]:
    done = interlock(
        "breakers", *arguments, cwd=project, environment={"INTERLOCK_URL": service.url}
    )
    return done.returncode, done.stdout, done.stderr


def test_breakers_are_listed_tripped_reset_disabled_and_enabled(
    project: Path, model: dict[str, str], service: Running
) -> None:
    code, said, _ = ask(service, project, "list")
    assert code == 0
    head, *rows = said.splitlines()
    assert head.split()[:2] == ["breaker", "state"]
    assert [row.split()[:2] for row in rows][:2] == [
        ["escalationRate", "closed"],
        ["costSpike", "closed"],
    ]
    code, said, _ = ask(service, project, "trip", "costSpike", "--why", "it is too much")
    assert (code, said) == (0, "costSpike is open, until reset\n")
    _, said, _ = ask(service, project, "list", "--format", "json")
    (spike,) = [each for each in json.loads(said)["breakers"] if each["name"] == "costSpike"]
    assert (spike["state"], spike["held"], spike["why"]) == ("open", True, "it is too much")
    for operation, state in (
        ("reset", "closed"),
        ("disable", "closed, disabled"),
        ("enable", "closed"),
    ):
        code, said, _ = ask(service, project, operation, "costSpike", "--why", "x")
        assert (code, said) == (0, f"costSpike is {state}\n")
    code, _, error = ask(service, project, "trip", "costSpik", "--why", "x")
    assert code == 1
    assert "did you mean 'costSpike'?" in error
    assert ask(service, project, "trip", "costSpike", "--why", " ")[0] == 2


def test_what_was_tripped_is_open_after_a_restart(project: Path, model: dict[str, str]) -> None:
    with running(*ARGUMENTS, cwd=project, environment=model) as service:
        ask(service, project, "trip", "escalationRate", "--why", "too many")
    with running(*ARGUMENTS, cwd=project, environment=model) as service:
        _, said, _ = ask(service, project, "list")
        assert "open, until reset" in said
        assert "admittedShare 0.5" in said
