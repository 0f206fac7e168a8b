"""Going back and switching off from the command line, against a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli.processes import Running, interlock, running

AGENT = "agents.d/assistant.yaml"


@pytest.fixture
def service(project: Path, model: dict[str, str]) -> Iterator[Running]:
    settings = project / "interlock.yaml"
    settings.write_text(f"{settings.read_text()}\nreload: {{mode: manual}}\n")
    with running("serve", "--port", "0", cwd=project, environment=model) as service:
        yield service


def ask(service: Running, project: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code and the output of a command that is told where the service is."""
    done = interlock(*arguments, cwd=project, environment={"INTERLOCK_URL": service.url})
    return done.returncode, done.stdout, done.stderr


def widen(project: Path) -> None:
    agent = project / AGENT
    agent.write_text(agent.read_text().replace("maxTokens: 40000", "maxTokens: 70000"))


def test_a_change_is_listed_compared_explained_and_undone(project: Path, service: Running) -> None:
    widen(project)
    code, said, _ = ask(service, project, "reload", "--why", "more room")
    assert code == 0, said
    assert "limits.maxTokens 40000 → 70000" in said

    code, said, _ = ask(service, project, "config", "list", "--format", "json")
    found = json.loads(said)["activations"]
    assert [(each["trigger"], each["why"]) for each in found] == [
        ("api", "more room"),
        ("start", None),
    ]
    # The store tells the same without the service.
    alone = interlock("config", "list", "--format", "json", cwd=project)
    assert json.loads(alone.stdout)["activations"] == found

    code, said, _ = ask(service, project, "config", "diff")
    assert "assistant: limits.maxTokens 40000 → 70000 (widening: " in said
    assert interlock("config", "diff", cwd=project).stdout == said

    code, said, _ = ask(service, project, "config", "show", "previous", AGENT)
    assert (code, "maxTokens: 40000" in said) == (0, True)

    # The files are not what is active until they are applied.
    path = "agents.assistant.limits.maxTokens"
    (project / AGENT).write_text((project / AGENT).read_text().replace("70000", "80000"))
    assert ask(service, project, "config", "explain", path)[1].startswith(f"{path} = 70000\n")
    assert interlock("config", "explain", path, cwd=project).stdout.startswith(f"{path} = 80000\n")

    code, said, _ = ask(service, project, "config", "rollback", "previous", "--why", "too dear")
    assert code == 0, said
    assert "assistant: limits.maxTokens 70000 → 40000" in said
    assert f"applied: generation 3, snapshot {found[1]['digest'][:12]}" in said
    code, said, _ = ask(service, project, "config", "list")
    rows = [line.split() for line in said.splitlines()]
    assert rows[1][0] == "*"
    assert rows[1][3:] == [found[1]["digest"][:12], "rollback", "-", "too", "dear"]


def test_a_rollback_that_is_refused_says_why_and_changes_nothing(
    project: Path, service: Running, model: dict[str, str]
) -> None:
    code, said, error = ask(service, project, "config", "rollback", "previous", "--why", "x")
    assert (code, said) == (1, "")
    assert "the service says unknown_snapshot: no other configuration was ever active" in error
    widen(project)
    assert ask(service, project, "reload")[0] == 0
    shown = json.loads(ask(service, project, "config", "list", "--format", "json")[1])
    code, said, _ = ask(service, project, "config", "rollback", shown["active"][:8], "--why", "x")
    assert (code, said) == (0, f"unchanged: generation 2, snapshot {shown['active'][:12]}\n")


def test_an_agent_and_a_tool_are_switched_off_and_on(project: Path, service: Running) -> None:
    def chat() -> str:
        arguments = ("chat", "assistant", "Open on Sunday?", "--json", "--url", service.url)
        return str(json.loads(interlock(*arguments, cwd=project).stdout)["reason"])

    assert ask(service, project, "switches")[1] == "nothing is switched off\n"
    code, said, _ = ask(service, project, "disable", "agent", "assistant", "--why", "it is rude")
    assert (code, said.startswith("agent assistant is off since ")) == (0, True)
    assert chat() == "agent_disabled"
    _, said, _ = ask(service, project, "switches")
    assert said.splitlines()[1].split()[:2] == ["agent", "assistant"]
    assert said.endswith("it is rude\n")
    assert interlock("switches", cwd=project).stdout == said

    # The store alone cannot be written while the service has it.
    refused = interlock("enable", "agent", "assistant", cwd=project)
    assert refused.returncode == 1
    assert "is in use by another process" in refused.stderr
    assert "--url http://" in refused.stderr

    assert ask(service, project, "enable", "agent", "assistant")[:2] == (
        0,
        "agent assistant is on\n",
    )
    assert chat() == "end_turn"
    code, _, error = ask(service, project, "disable", "tool", "get_hours", "--why", "x")
    assert (code, "did you mean 'get_opening_hours'?" in error) == (1, True)


def test_what_was_switched_off_without_a_service_is_off_when_it_starts(
    project: Path, model: dict[str, str]
) -> None:
    done = interlock("disable", "agent", "assistant", "--why", "not yet", cwd=project)
    assert done.returncode == 0, done.stderr
    with running("serve", "--port", "0", cwd=project, environment=model) as service:
        assert "not yet" in ask(service, project, "switches")[1]
        arguments = ("chat", "assistant", "hello", "--json", "--url", service.url)
        answer = json.loads(interlock(*arguments, cwd=project).stdout)
    assert (answer["outcome"], answer["reason"]) == ("refused", "agent_disabled")
    # So it is for a chat without a service.
    local = interlock("chat", "assistant", "hello", "--json", cwd=project, environment=model)
    assert json.loads(local.stdout)["reason"] == "agent_disabled"
    assert "breaker     agent_disabled (switches.agents.assistant): not yet (by " in local.stderr
    trace = interlock("trace", "show", json.loads(local.stdout)["turnId"], cwd=project).stdout
    assert "breaker agent_disabled (switches.agents.assistant): not yet" in trace
    assert f"snapshot {json.loads(local.stdout)['snapshot'][:12]}" in trace
