"""Tables: folded to a terminal's width, one line a row when they go into a file or a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from interlock.cli.text import printable

__all__ = ["print_table"]

_WIDEST = 4096

Cell = str | Text


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    flexible: int = -1,
) -> None:
    """Prints rows under their headings. The column `flexible` is the one that gives way."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        gives_way = index == flexible % len(columns)
        table.add_column(column, no_wrap=not gives_way, overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    if console.is_terminal:
        console.print(table)
        return
    plain = Console(width=_WIDEST, file=StringIO())
    with plain.capture() as captured:
        plain.print(table)
    for line in captured.get().splitlines():
        console.print(line.rstrip(), soft_wrap=True, highlight=False, markup=False)


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(printable(cell))
