from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.text import Text

from interlock.cli.table import print_table


def printed(*rows: list[str | Text], terminal: bool = False, flexible: int = -1) -> list[str]:
    file = StringIO()
    console = Console(file=file, width=40, force_terminal=terminal, color_system=None)
    print_table(console, ["name", "why"], rows, flexible=flexible)
    return file.getvalue().splitlines()


def test_a_file_gets_one_line_a_row_without_spaces_at_its_end() -> None:
    long = "x " * 100 + "y"
    assert printed(["a", long], ["bcdefgh", ""]) == [
        "name     why",
        f"a        {long}",
        "bcdefgh",
    ]


def test_a_terminal_gets_what_fits() -> None:
    lines = printed(["a" * 20, "b " * 30], terminal=True)
    assert all(len(line) <= 40 for line in lines)
    assert lines[1].startswith("a" * 20)
    assert "".join(lines).count("b") == 30


def test_another_column_may_be_the_one_that_gives_way() -> None:
    lines = printed(["b " * 30, "w" * 20], terminal=True, flexible=0)
    assert lines[1].rstrip().endswith("w" * 20)


def test_nothing_in_a_cell_commands_the_terminal() -> None:
    text = "\n".join(printed(["a\x1b[31m", "[red]b[/red]"], terminal=True))
    assert "\x1b" not in text
    assert "[red]b[/red]" in text
