"""A new project answers at once: init, check, sim, chat, trace show."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.e2e.cli.processes import interlock

TURN = re.compile(r"turn_[0-9a-f]+")


def test_a_new_project_is_valid(project: Path) -> None:
    checked = interlock("check", "--strict", cwd=project)
    assert checked.returncode == 0
    bound, valid = checked.stdout.splitlines()
    assert bound.startswith("assistant: at most 40,000 tokens and $0.25 a conversation")
    assert re.fullmatch(r"valid: [0-9a-f]{12}, 1 agent, 2 tools, no errors", valid)
    assert checked.stderr == ""


def test_a_new_project_answers_and_the_trace_shows_how(
    project: Path, model: dict[str, str]
) -> None:
    question = "When are you open on Saturday?"
    answered = interlock("chat", "assistant", question, cwd=project, environment=model)
    assert answered.returncode == 0
    # Only the answer goes to standard output, so that it can be used in a pipe.
    assert answered.stdout == "On Saturday we are open from 10:00 to 16:00.\n"
    assert 'tool        get_opening_hours {"weekday": "saturday"}\n' in answered.stderr
    assert "result      get_opening_hours success" in answered.stderr
    assert "resolved (end_turn), 2 iterations, 3 model calls, 1 tool call, " in answered.stderr
    assert "\x1b" not in answered.stderr
    [turn] = set(TURN.findall(answered.stderr))

    shown = interlock("trace", "show", turn, cwd=project)
    assert shown.returncode == 0
    assert f"message {question}\n" in shown.stdout
    assert f"{turn} of assistant resolved (end_turn)\n" in shown.stdout
    assert '├── tool get_opening_hours {"weekday": "saturday"} success' in shown.stdout
    assert "├── reply On Saturday we are open from 10:00 to 16:00.\n" in shown.stdout
    assert "└── totals 3 model calls, 1 tool call, " in shown.stdout
    assert "\x1b" not in shown.stdout

    document = json.loads(interlock("trace", "show", turn, "--format", "json", cwd=project).stdout)
    [traced] = document["turns"]
    assert traced["id"] == turn
    assert traced["outcome"] == "resolved"
    kinds = [event["type"] for event in traced["events"]]
    assert kinds.count("model_call") == 3
    assert kinds[-1] == "response"

    whole = interlock("trace", "show", traced["conversationId"], cwd=project)
    assert whole.stdout == shown.stdout


def test_lines_of_standard_input_are_one_conversation(project: Path, model: dict[str, str]) -> None:
    lines = "hello\n\nAre you open on Monday?\nCan I talk to a human?\n"
    arguments = ("chat", "assistant", "--json")
    chatted = interlock(*arguments, cwd=project, environment=model, stdin=lines)
    assert chatted.returncode == 0
    answers = [json.loads(line) for line in chatted.stdout.splitlines()]
    assert [answer["reply"] for answer in answers] == [
        "I can tell you when we are open, or hand you over to a colleague.",
        "We are closed on Monday.",
        "I am handing you over to a colleague, who will get back to you.",
    ]
    assert [answer["outcome"] for answer in answers] == ["resolved", "resolved", "escalated"]
    assert len({answer["conversationId"] for answer in answers}) == 1


def test_without_a_model_the_turn_fails_and_so_does_the_command(project: Path) -> None:
    environment = {"INTERLOCK_MODEL_URL": "http://127.0.0.1:9"}
    answered = interlock("chat", "assistant", "hello", cwd=project, environment=environment)
    assert answered.returncode == 1
    assert answered.stdout == (
        "I am sorry, something went wrong on our side. Please try again in a moment.\n"
    )
    assert "failed: connection" in answered.stderr
    assert "failed (model_connection), " in answered.stderr


def test_an_unknown_agent_is_named_with_the_known_ones(project: Path) -> None:
    answered = interlock("chat", "asistant", "hello", cwd=project)
    assert (answered.returncode, answered.stdout) == (1, "")
    assert answered.stderr == (
        "error[unknown_agent]: there is no agent 'asistant'; declared are: assistant\n"
    )


def test_a_chat_with_a_broken_project_shows_the_findings(project: Path) -> None:
    (project / "agents.d" / "assistant.yaml").write_text("name: assistant\n")
    answered = interlock("chat", "assistant", "hello", cwd=project)
    assert (answered.returncode, answered.stdout) == (4, "")
    assert "agents.d/assistant.yaml:1:1: error[ILK-C001]" in answered.stderr
    assert "not started: 4 errors\n" in answered.stderr


def test_a_trace_without_a_store_says_how_one_comes_to_be(project: Path) -> None:
    shown = interlock("trace", "show", "turn_1", cwd=project)
    assert shown.returncode == 1
    assert shown.stderr.startswith("error[store_unavailable]: there is no store ")


def test_the_simulator_refuses_bad_rules_and_taken_ports(
    project: Path, model: dict[str, str]
) -> None:
    (project / "bad.yaml").write_text("rules:\n  - name: a\n    reply: {txt: hello}\n")
    refused = interlock("sim", "bad.yaml", cwd=project)
    assert refused.returncode == 1
    assert "bad.yaml:3:13: error[ILK-C002]: unknown key 'txt'\n" in refused.stderr
    assert "    3 |     reply: {txt: hello}\n" in refused.stderr
    port = model["INTERLOCK_MODEL_URL"].rsplit(":", 1)[1]
    refused = interlock("sim", "sim.yaml", "--port", port, cwd=project)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[cannot_listen]: cannot listen on 127.0.0.1, port ")
