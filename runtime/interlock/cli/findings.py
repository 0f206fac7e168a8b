"""Diagnostics as people, programs and GitHub read them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from interlock.cli.exits import Exit
from interlock.cli.text import plural, printable
from interlock.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from interlock.diagnostics import Diagnostic
    from interlock.model.base import JsonObject

__all__ = [
    "count",
    "count_text",
    "print_github",
    "print_json",
    "print_rendered",
    "print_text",
    "refusing_invalid",
]

_STYLES = (
    (r"^\S+:\d+:\d+(?=: )", "bold"),
    (r"(?<=: )error\[[\w-]+\]", "bold red"),
    (r"(?<=: )warning\[[\w-]+\]", "bold yellow"),
    (r"(?m)^      \| *\^$", "bold red"),
    (r"(?m)^      = hint:", "cyan"),
)


def count(found: Iterable[Diagnostic]) -> tuple[int, int]:
    """How many errors and how many warnings there are."""
    severities = Counter(diagnostic.severity for diagnostic in found)
    return severities["error"], severities["warning"]


def count_text(found: Iterable[Diagnostic]) -> str:
    """The same in words: `2 errors, 1 warning`."""
    errors, warnings = count(found)
    parts = [plural(errors, "error")] if errors else []
    parts += [plural(warnings, "warning")] if warnings else []
    return ", ".join(parts) or "no errors"


def print_text(
    found: Iterable[Diagnostic], files: Mapping[str, bytes], *, console: Console
) -> None:
    """Prints each finding with its line of the file; in colour if the console is a terminal."""
    from interlock.diagnostics import render_text

    for diagnostic in found:
        print_rendered(render_text([diagnostic], files), console=console)


def print_rendered(text: str, *, console: Console) -> None:
    """Prints a finding that is a text already, such as one from a service."""
    from rich.text import Text

    shown = Text(printable(text))
    for pattern, style in _STYLES:
        shown.highlight_regex(pattern, style)
    console.print(shown, soft_wrap=True)


def print_json(found: Sequence[Diagnostic], facts: JsonObject) -> None:
    """Prints one JSON document: the facts, the counts, and every finding."""
    errors, warnings = count(found)
    document = {
        "valid": errors == 0,
        **facts,
        "errors": errors,
        "warnings": warnings,
        "diagnostics": [diagnostic.to_json() for diagnostic in found],
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_github(found: Iterable[Diagnostic], project: Path) -> None:
    """Prints the commands that make GitHub show each finding beside its line."""
    for diagnostic in found:
        place = diagnostic.location
        properties = {
            "file": (project / place.path).as_posix(),
            "line": str(place.line),
            "col": str(place.column),
            "title": diagnostic.code,
        }
        fields = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        hint = f"\nhint: {diagnostic.hint}" if diagnostic.hint else ""
        typer.echo(f"::{diagnostic.severity} {fields}::{_escape(diagnostic.message + hint)}")


@contextmanager
def refusing_invalid(project: Path) -> Iterator[None]:
    """Prints the findings of a `ConfigError` to stderr and ends the command as refused."""
    try:
        yield
    except ConfigError as error:
        from rich.console import Console

        from interlock.config.source import read_tree

        console = Console(stderr=True)
        print_text(error.diagnostics, read_tree(project).files, console=console)
        total = count_text(error.diagnostics)
        console.print(f"not started: {total}", soft_wrap=True, highlight=False)
        raise typer.Exit(Exit.REFUSED) from error


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
