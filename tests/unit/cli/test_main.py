from __future__ import annotations

from pathlib import Path

import pytest

from interlock import __version__
from interlock.cli.main import main
from tests.unit.cli.projects import write_project


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], *([name, "--help"] for name in ("check", "serve", "chat", "sim"))]
)
def test_help_is_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    assert "Usage: interlock" in capsys.readouterr().out


def test_an_error_of_ours_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("trace", "show", "turn_1", "--project", str(tmp_path)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"error[not_a_project]: there is no '{tmp_path}/interlock.yaml'; go to the project's "
        "folder, or name it with --project\n"
    )


def test_a_traceback_is_shown_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--traceback", "trace", "show", "turn_1", "--project", str(tmp_path)) == 1
    error = capsys.readouterr().err
    assert error.startswith("Traceback")
    assert "NotAProject" in error


def test_a_refusal_of_the_system_is_not_our_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "schemas"
    assert run("schema", "--write", str(folder)) == 1
    assert capsys.readouterr().err == (f"error[system]: [Errno 20] Not a directory: '{folder}'\n")


def test_an_unexpected_error_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def divide(arguments: object, prog_name: str) -> None:
        raise ZeroDivisionError("nobody has foreseen this")

    monkeypatch.setattr("interlock.cli.main.app", divide)
    assert run("check") == 5
    assert capsys.readouterr().err == (
        "unexpected ZeroDivisionError: nobody has foreseen this\n"
        "this is a fault of Interlock; to see where: interlock --traceback ...\n"
    )


def test_an_invalid_interlock_yaml_is_refused_with_its_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, interlock="providers: {}\nmodels: {}\n")
    assert run("trace", "show", "turn_1", "--project", str(project)) == 4
    assert "interlock.yaml:1:12: error[ILK-C003]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["chat"],
        ["chat", "helper", " "],
        ["chat", "helper", "hi", "--session", "[1]"],
        ["chat", "helper", "hi", "--session", "{"],
        ["chat", "helper", "hi", "--url", "localhost:8080"],
        ["check", "--format", "xml"],
        ["serve", "--port", "70000"],
        ["sim"],
        ["sim", "nowhere.yaml"],
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert "Usage: interlock" in capsys.readouterr().err
