"""`interlock check` on broken projects: what is printed, to the character."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli.processes import interlock

BROKEN: dict[str, tuple[str, str, str, str]] = {
    "YAML that cannot be read": (
        "tools.d/people.yaml",
        "category: escalation",
        "category: [escalation",
        "tools.d/people.yaml:4:1: error[ILK-Y001]: did not find expected ',' or ']'\n"
        "    4 | description: Hands the conversation to a colleague.\n"
        "      | ^\n"
        "      = hint: check the indentation, brackets and quotes up to here\n"
        "1 error\n",
    ),
    "a key that stands twice": (
        "agents.d/assistant.yaml",
        "  turnTimeout: 60s\n",
        "  turnTimeout: 60s\n  maxIterations: 9\n",
        "agents.d/assistant.yaml:10:3: error[ILK-Y003]: the key 'maxIterations' stands here again;"
        " it is first on line 6\n"
        "   10 |   maxIterations: 9\n"
        "      |   ^\n"
        "      = hint: remove one of the two\n"
        "1 error\n",
    ),
    "a value that YAML versions read differently": (
        "agents.d/assistant.yaml",
        "  onExhausted: complete",
        "  onExhausted: no",
        "agents.d/assistant.yaml:10:16: error[ILK-Y004]: 'no' is ambiguous:"
        " some YAML versions read it as true or false\n"
        "   10 |   onExhausted: no     # a last answer from what is kept back; or: escalate\n"
        "      |                ^\n"
        '      = hint: write "no" for the text, or another form for the value\n'
        "1 error\n",
    ),
    "a key that is not known": (
        "interlock.yaml",
        "server: {host: 127.0.0.1, port: 8080}",
        "server: {hots: 127.0.0.1, port: 8080}",
        "interlock.yaml:2:10: error[ILK-C002]: unknown key 'hots' in 'server'\n"
        "    2 | server: {hots: 127.0.0.1, port: 8080}\n"
        "      |          ^\n"
        "      = hint: did you mean 'host'?\n"
        "1 error\n",
    ),
    "a time without a unit": (
        "tools.d/opening_hours.yaml",
        "timeout: 2s",
        "timeout: 2",
        "tools.d/opening_hours.yaml:15:10: error[ILK-C003]: timeout must be a time such as 500ms,"
        " 10s, 5m or 1h, got 2\n"
        "   15 | timeout: 2\n"
        "      |          ^\n"
        "1 error\n",
    ),
    "a tool that does not exist": (
        "agents.d/assistant.yaml",
        "tools: [get_opening_hours,",
        "tools: [get_opening_hour,",
        "agents.d/assistant.yaml:11:9: error[ILK-C006]: there is no tool 'get_opening_hour'\n"
        "   11 | tools: [get_opening_hour, escalate_to_human]\n"
        "      |         ^\n"
        "      = hint: did you mean 'get_opening_hours'?\n"
        "tools.d/opening_hours.yaml:2:7: warning[ILK-C016]: no agent uses the tool"
        " 'get_opening_hours'\n"
        "    2 | name: get_opening_hours\n"
        "      |       ^\n"
        "      = hint: add it to the tools: of an agent, or remove it\n"
        "1 error, 1 warning\n",
    ),
    "a variable that is not defined": (
        "agents.d/assistant.yaml",
        "{{ company }}",
        "{{ firm }}",
        "agents.d/assistant.yaml:15:33: error[ILK-C008]: the template uses 'firm', which is not"
        " defined\n"
        "   15 |     You are the assistant of {{ firm }}. Be friendly and brief: one or two"
        " sentences.\n"
        "      |                                 ^\n"
        "      = hint: known here: agent, company, session\n"
        "1 error\n",
    ),
    "an environment variable that is not set": (
        "interlock.yaml",
        "env: ANTHROPIC_API_KEY, default: simulator",
        "env: ANTHROPIC_API_KEY",
        "interlock.yaml:9:19: error[ILK-C013]: the environment variable ANTHROPIC_API_KEY is not"
        " set\n"
        "    9 |     apiKey: {env: ANTHROPIC_API_KEY}\n"
        "      |                   ^\n"
        "      = hint: set ANTHROPIC_API_KEY, or give a 'default:' beside it\n"
        "1 error\n",
    ),
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_a_mistake_is_shown_with_its_place_and_a_way_out(project: Path, kind: str) -> None:
    name, right, wrong, expected = BROKEN[kind]
    file = project / name
    text = file.read_text()
    assert text.count(right) == 1
    file.write_text(text.replace(right, wrong))
    checked = interlock("check", cwd=project)
    assert checked.stdout == expected
    assert (checked.returncode, checked.stderr) == (1, "")


def test_a_file_that_is_no_text_is_found(project: Path) -> None:
    (project / "tools.d" / "people.yaml").write_bytes(b"name: caf\xe9\n")
    checked = interlock("check", cwd=project)
    assert checked.returncode == 1
    assert checked.stdout == (
        "tools.d/people.yaml:1:10: error[ILK-Y002]: byte 0xe9 is not UTF-8\n"
        "    1 | name: caf\ufffd\n"
        "      |          ^\n"
        "      = hint: save the file as UTF-8\n"
        "1 error\n"
    )


def test_a_python_function_that_is_not_there_is_found(project: Path) -> None:
    plugin = project / "plugins" / "opening_hours.py"
    plugin.write_text(plugin.read_text().replace("async def get_opening_hours", "async def get"))
    checked = interlock("check", cwd=project)
    assert checked.returncode == 1
    assert "error[ILK-C014]: " in checked.stdout
    assert "get_opening_hours" in checked.stdout
    assert checked.stdout.endswith("\n1 error\n")


def test_all_mistakes_of_all_files_are_shown_at_once(project: Path) -> None:
    for name, right, wrong in (
        ("interlock.yaml", "port: 8080", "port: 80800"),
        ("agents.d/assistant.yaml", "maxIterations: 8 ", "maxIterations: 0 "),
        ("agents.d/assistant.yaml", "plan: haiku,", "plan: haiku, plann: haiku,"),
        ("tools.d/people.yaml", "category: escalation", "category: escalate"),
    ):
        file = project / name
        assert right in file.read_text()
        file.write_text(file.read_text().replace(right, wrong))
    checked = interlock("check", "--format", "github", cwd=project)
    assert checked.returncode == 1
    places = [line.split("::")[1] for line in checked.stdout.splitlines()]
    assert places == [
        "error file=agents.d/assistant.yaml,line=4,col=23,title=ILK-C002",
        "error file=agents.d/assistant.yaml,line=6,col=18,title=ILK-C003",
        "error file=interlock.yaml,line=2,col=33,title=ILK-C003",
        "error file=tools.d/people.yaml,line=3,col=11,title=ILK-C003",
    ]


def test_a_folder_without_a_project_is_not_valid(tmp_path: Path) -> None:
    checked = interlock("check", cwd=tmp_path)
    assert checked.returncode == 1
    assert "there is no interlock.yaml, so this is not an Interlock project" in checked.stdout
    assert interlock("check", "nowhere", cwd=tmp_path).returncode == 2
