"""The service, started from the command line, and talked to from another."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli.processes import Running, interlock, running

KEY_ENTRY = re.compile(r"^auth:\n(?:  .*\n)+", re.MULTILINE)


@pytest.fixture
def service(project: Path, model: dict[str, str]) -> Iterator[Running]:
    with running("serve", "--port", "0", cwd=project, environment=model) as service:
        yield service


def test_an_invalid_project_is_not_started(project: Path) -> None:
    agent = project / "agents.d" / "assistant.yaml"
    agent.write_text(agent.read_text().replace("maxTokens: 40000", "maxToken: 40000"))
    refused = interlock("serve", "--port", "0", cwd=project)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr == (
        "agents.d/assistant.yaml:7:3: error[ILK-C002]: unknown key 'maxToken' in 'limits'\n"
        "    7 |   maxToken: 40000          # of the whole conversation\n"
        "      |   ^\n"
        "      = hint: did you mean 'maxTokens'?\n"
        "not started: 1 error\n"
    )


def test_a_host_that_others_can_reach_needs_a_key(project: Path) -> None:
    refused = interlock("serve", "--host", "0.0.0.0", "--port", "0", cwd=project)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[cannot_listen]: without keys ")


def test_the_service_says_where_it_listens_and_ends_when_told(
    project: Path, service: Running
) -> None:
    digest = json.loads(interlock("check", "--format", "json", cwd=project).stdout)["digest"]
    assert re.fullmatch(
        rf"Interlock \S+ listening on http://127\.0\.0\.1:\d+, snapshot {digest[:12]}, 1 agent\n",
        service.said,
    )
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(60) == 0


def test_a_chat_through_the_service_shows_its_progress(project: Path, service: Running) -> None:
    arguments = ("--url", service.url, "--customer", "C-1")
    answered = interlock("chat", "assistant", "Open on Sunday?", *arguments, cwd=project)
    assert (answered.returncode, answered.stdout) == (0, "We are closed on Sunday.\n")
    assert "plan        gather_info: Look up the opening hours" in answered.stderr
    assert "tool        get_opening_hours\n" in answered.stderr
    assert "resolved (end_turn), " in answered.stderr

    # The service has the store open for writing; reading it is possible all the same.
    [turn] = set(re.findall(r"turn_[0-9a-f]+", answered.stderr))
    assert f"{turn} of assistant resolved" in interlock("trace", "show", turn, cwd=project).stdout


def test_a_second_writer_is_pointed_to_the_service(
    project: Path, service: Running, model: dict[str, str]
) -> None:
    refused = interlock("chat", "assistant", "hello", cwd=project, environment=model)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[store_unavailable]: ")
    assert "--url http://" in refused.stderr


def test_the_services_errors_are_passed_on(project: Path, service: Running) -> None:
    refused = interlock("chat", "nobody", "hello", "--url", service.url, cwd=project)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "error[service_failed]: the service says unknown_agent: there is no agent 'nobody'; "
        "declared are: assistant\n"
    )


def test_a_service_that_is_not_there_is_said_to_be_missing(project: Path) -> None:
    refused = interlock("chat", "assistant", "hi", "--url", "http://127.0.0.1:9", cwd=project)
    assert refused.returncode == 1
    assert refused.stderr == (
        "error[service_failed]: cannot connect to http://127.0.0.1:9; is `interlock serve` "
        "running there?\n"
    )


def test_something_else_at_the_url_is_not_taken_for_the_service(
    project: Path, model: dict[str, str]
) -> None:
    url = model["INTERLOCK_MODEL_URL"]
    refused = interlock("chat", "assistant", "hi", "--url", url, cwd=project)
    assert refused.returncode == 1
    assert refused.stderr.endswith("is it an Interlock service?\n")


def test_a_made_key_lets_a_chat_in_and_nothing_else_does(
    project: Path, model: dict[str, str]
) -> None:
    made = interlock("key", "shop", cwd=project).stdout
    entry = KEY_ENTRY.search(made)
    assert entry is not None
    settings = project / "interlock.yaml"
    settings.write_text(settings.read_text() + entry[0])
    with running("serve", "--port", "0", cwd=project, environment=model) as service:
        arguments = ("chat", "assistant", "hello", "--url", service.url)
        refused = interlock(*arguments, cwd=project)
        key = {"INTERLOCK_API_KEY": made.splitlines()[0]}
        answered = interlock(*arguments, cwd=project, environment=key)
    assert refused.returncode == 1
    assert "the service says unauthorized: " in refused.stderr
    assert "(set INTERLOCK_API_KEY)" in refused.stderr
    assert answered.returncode == 0
