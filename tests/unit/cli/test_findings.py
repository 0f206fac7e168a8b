from __future__ import annotations

import io
from pathlib import Path

import pytest
import typer
from rich.console import Console

from interlock.cli.findings import count_text, print_github, print_text, refusing_invalid
from interlock.diagnostics import Diagnostic, Location, Severity
from interlock.errors import ConfigError

PLACE = Location("agents.d/a.yaml", 1, 7)


def finding(severity: Severity = "error", message: str = "is wrong") -> Diagnostic:
    return Diagnostic("ILK-C003", message, PLACE, "do it right", severity)


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        ([], "no errors"),
        (["error"], "1 error"),
        (["error", "error", "warning"], "2 errors, 1 warning"),
        (["warning", "warning"], "2 warnings"),
    ],
)
def test_findings_are_counted_in_words(severities: list[Severity], text: str) -> None:
    assert count_text([finding(severity) for severity in severities]) == text


def test_a_file_gets_plain_lines_however_long_they_are() -> None:
    output = io.StringIO()
    source = f"name: {'x' * 300}".encode()
    message = "is wrong " * 40
    print_text([finding(message=message)], {PLACE.path: source}, console=Console(file=output))
    assert output.getvalue() == (
        f"agents.d/a.yaml:1:7: error[ILK-C003]: {message}\n"
        f"    1 | name: {'x' * 300}\n"
        "      |       ^\n"
        "      = hint: do it right\n"
    )


def test_a_terminal_gets_colour_and_the_same_text() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, color_system="standard", width=40)
    print_text([finding(message="[bold]is[/bold] wrong")], {}, console=console)
    assert "\x1b[1;31merror[ILK-C003]\x1b[0m: [bold]is[/bold] wrong" in output.getvalue()


def test_a_file_cannot_command_the_terminal() -> None:
    output = io.StringIO()
    print_text([finding(message="a\x1b[2Jb")], {}, console=Console(file=output))
    assert "a\ufffd[2Jb" in output.getvalue()


def test_annotations_escape_what_github_would_take_for_syntax(
    capsys: pytest.CaptureFixture[str],
) -> None:
    odd = Diagnostic("ILK-C004", "100% of\nit", Location("agents.d/a,b:c.yaml", 2, 3))
    print_github([odd, finding("warning")], Path())
    assert capsys.readouterr().out == (
        "::error file=agents.d/a%2Cb%3Ac.yaml,line=2,col=3,title=ILK-C004::100%25 of%0Ait\n"
        "::warning file=agents.d/a.yaml,line=1,col=7,title=ILK-C003::is wrong%0Ahint: do it right\n"
    )


def test_an_invalid_configuration_is_refused_with_its_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, refusing_invalid(tmp_path):
        raise ConfigError([finding()])
    assert ended.value.exit_code == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("agents.d/a.yaml:1:7: error[ILK-C003]: is wrong\n")
    assert captured.err.endswith("not started: 1 error\n")
