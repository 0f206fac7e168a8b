"""`interlock explain`: what a finding means, an example of it, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Annotated, NamedTuple

import typer

from interlock.diagnostics import CODES, nearest
from interlock.errors import InterlockError

__all__ = ["Summary", "UnknownCode", "explain", "page", "summaries"]

_SEVERITY = re.compile(r"^Severity: (.+)$", re.MULTILINE)


class UnknownCode(InterlockError):
    """No finding has that code."""

    code = "unknown_code"


class Summary(NamedTuple):
    """A code in one line."""

    code: str
    severity: str
    """`error`, `warning`, or both."""
    sentence: str


def explain(
    code: Annotated[
        str | None,
        typer.Argument(metavar="[CODE]", help="Such as ILK-C012, or just C012; all if left out."),
    ] = None,
) -> None:
    """Explain a finding: what it means, an example, how to fix it, why it matters."""
    from rich.console import Console

    console = Console()
    if code is None:
        for summary in summaries():
            line = f"{summary.code}  {summary.severity:8} {summary.sentence}"
            console.print(line, soft_wrap=True, highlight=False, markup=False)
        return
    text = page(code)
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown(text))
    else:
        typer.echo(text, nl=False)


def page(code: str) -> str:
    """The page of a code, in Markdown. Raises `UnknownCode`."""
    name = code.strip().upper()
    if not name.startswith("ILK-"):
        name = f"ILK-{name}"
    if name not in CODES:
        close = nearest(name, CODES)
        hint = f"did you mean '{close}'?" if close else "see all with: interlock explain"
        raise UnknownCode(f"there is no code '{code}'; {hint}")
    return files("interlock.config").joinpath("codes", f"{name}.md").read_text("utf-8")


def summaries() -> Iterator[Summary]:
    """Every code in one line, sorted."""
    for code, sentence in CODES.items():
        found = _SEVERITY.search(page(code))
        severity = found[1].split(",")[0] if found else ""
        yield Summary(code, severity, sentence)
