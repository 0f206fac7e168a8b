from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from interlock.cli.main import app
from tests.unit.cli.projects import AGENT, SETTINGS, TOOL, write_project

UNUSED = (
    "name: spare\ncategory: escalation\ndescription: Spare.\nwhenToUse: Never.\n"
    "whenNotToUse: Always.\n"
)
WORST = "helper: at most 50,000 tokens and $0.25 a conversation (limited by maxTokens)\n"


def check(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.stdout


def test_a_valid_project_is_a_line_for_each_agent_and_one_more(tmp_path: Path) -> None:
    code, output = check(str(write_project(tmp_path)))
    assert code == 0
    worst, valid = output.splitlines(keepends=True)
    digest = valid.split()[1].rstrip(",")
    assert worst == WORST
    assert valid == f"valid: {digest}, 1 agent, 1 tool, no errors\n"
    assert len(digest) == 12


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        ("maxTokens: 8000", "at most 8,000 tokens and $0.04 a conversation (limited by maxTokens)"),
        (
            "maxTokens: 8000, maxCostUsd: 0.03",
            "at most 8,000 tokens and $0.03 a conversation (limited by maxCostUsd)",
        ),
    ],
)
def test_the_worst_case_of_a_conversation_names_what_limits_it(
    tmp_path: Path, limits: str, line: str
) -> None:
    project = write_project(tmp_path, agents__helper=f"{AGENT}limits: {{{limits}}}\n")
    code, output = check(str(project))
    assert code == 0
    assert output.startswith(f"helper: {line}\n")


def test_a_model_without_a_price_has_no_worst_case_in_dollars(tmp_path: Path) -> None:
    settings = SETTINGS.replace("prices:", "variables:").replace(
        "{test-model: {input: 1, output: 5}}", "{}"
    )
    project = write_project(tmp_path, interlock=settings)
    assert (
        "\nhelper: at most 50,000 tokens a conversation, at an unknown price: test-model\n"
        in (check(str(project))[1])
    )
    [agent] = json.loads(check(str(project), "--format", "json")[1])["agents"]
    assert (agent["maxCostUsd"], agent["unpriced"]) == (None, ["test-model"])


def test_errors_are_shown_with_their_place_and_counted(tmp_path: Path) -> None:
    wrong = AGENT.replace("models:", "limit: {}\nmodels:").replace("[hand_over]", "[hand_ower]")
    code, output = check(str(write_project(tmp_path, agents__helper=wrong)))
    assert code == 1
    assert output == (
        "agents.d/helper.yaml:3:1: error[ILK-C002]: unknown key 'limit'\n"
        "    3 | limit: {}\n"
        "      | ^\n"
        "      = hint: did you mean 'limits'?\n"
        "1 error\n"
    )


def test_warnings_fail_only_when_strict(tmp_path: Path) -> None:
    project = write_project(tmp_path, tools__spare=UNUSED)
    code, output = check(str(project))
    assert code == 0
    assert "warning[ILK-C016]: no agent uses the tool 'spare'" in output
    assert output.endswith(", 1 agent, 2 tools, 1 warning\n")
    assert check(str(project), "--strict")[0] == 3


def test_errors_count_more_than_warnings_when_strict(tmp_path: Path) -> None:
    project = write_project(tmp_path, tools__spare=UNUSED, tools__people=TOOL + "colour: red\n")
    assert check(str(project), "--strict")[0] == 1


def test_json_is_one_document_for_programs(tmp_path: Path) -> None:
    project = write_project(tmp_path, tools__spare=UNUSED)
    code, output = check(str(project), "--format", "json")
    document = json.loads(output)
    assert code == 0
    assert document["valid"] is True
    assert (document["errors"], document["warnings"]) == (0, 1)
    assert document["agents"] == [
        {
            "name": "helper",
            "maxTokens": 50_000,
            "maxCostUsd": 0.25,
            "limitedBy": "maxTokens",
            "unpriced": [],
        }
    ]
    assert document["tools"] == ["hand_over", "spare"]
    assert len(document["digest"]) == 64
    [found] = document["diagnostics"]
    assert (found["file"], found["line"], found["severity"]) == (
        "tools.d/spare.yaml",
        1,
        "warning",
    )


def test_json_of_an_invalid_project_says_so(tmp_path: Path) -> None:
    code, output = check(str(write_project(tmp_path, interlock="a: [")), "--format", "json")
    document = json.loads(output)
    assert code == 1
    assert document["valid"] is False
    assert document["agents"] is None
    assert {found["code"] for found in document["diagnostics"]} == {"ILK-Y001"}


def test_github_annotations_name_files_as_the_repository_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path / "bots", agents__helper=AGENT + "limits: {maxTokens: 0}\n")
    monkeypatch.chdir(tmp_path)
    code, output = check("bots", "--format", "github")
    assert code == 1
    assert output == (
        "::error file=bots/agents.d/helper.yaml,line=6,col=21,title=ILK-C003"
        "::limits.maxTokens must be at least 1, got 0\n"
    )


def test_a_folder_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    assert check(str(tmp_path / "nowhere"))[0] == 2


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path: Path) -> None:
    code, output = check(str(tmp_path))
    assert code == 1
    assert "hint: go to the project's folder, or make one with: interlock init FOLDER" in output


def test_a_check_does_not_wait_for_the_sdk_of_the_models(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    code = (
        "import sys; from interlock.reload.generation import check;"
        "from interlock.config.source import read_tree; from pathlib import Path;"
        "loaded, _ = check(read_tree(Path(sys.argv[1])), {});"
        "assert loaded.snapshot is not None; print('anthropic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
