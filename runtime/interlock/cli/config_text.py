"""Configurations, their history and their values as people read them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import yaml
from rich.console import Console
from rich.text import Text

from interlock.cli.table import print_table
from interlock.cli.text import printable, short
from interlock.config.diff import Change
from interlock.config.diff_lines import describe, excerpt, summary
from interlock.config.provenance import Origin
from interlock.config.source import Source
from interlock.diagnostics import nearest
from interlock.errors import InterlockError
from interlock.model.base import Json, JsonObject

__all__ = [
    "file_facts",
    "print_activations",
    "print_changes",
    "print_files",
    "print_origin",
    "unknown_file",
]

_DIGITS = 12
_LONGEST = 60
_CHANGE_STYLES = (
    (r"\(widening: .*\)$", "bold yellow"),
    (r"restart needed", "cyan"),
)


class UnknownFile(InterlockError):
    """The configuration has no such file."""

    code = "unknown_file"


def print_activations(console: Console, found: JsonObject) -> None:
    """The history, newest first; the active configuration has a mark."""
    rows: list[list[str | Text]] = []
    marked = False
    for entry in found["activations"]:
        active = not marked and entry["digest"] == found["active"]
        marked = marked or active
        rows.append(
            [
                Text("*" if active else "", "bold green"),
                f"{datetime.fromisoformat(entry['at']):%Y-%m-%d %H:%M:%S}",
                Text(entry["digest"][:_DIGITS], "bold" if active else ""),
                entry["trigger"],
                entry["who"] or "-",
                short(entry["why"] or "", 500),
            ]
        )
    if rows:
        print_table(console, ["", "active since (UTC)", "digest", "by", "who", "why"], rows)
    else:
        console.print("no configuration was ever active here")


def file_facts(source: Source) -> list[JsonObject]:
    """Each file with its size and its hash."""
    return [
        {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(source.files.items())
    ]


def print_files(console: Console, source: Source) -> None:
    """The digest of a configuration, and its files."""
    console.print(Text(source.digest, "bold"))
    rows = [
        [Text(f"{fact['bytes']:>8}"), fact["sha256"][:_DIGITS], fact["path"]]
        for fact in file_facts(source)
    ]
    print_table(console, ["   bytes", "sha256", "path"], rows)


def unknown_file(path: str, source: Source) -> UnknownFile:
    """The error for a path that is none of the configuration's."""
    close = nearest(path, source.files)
    way = f"did you mean '{close}'?" if close else f"it has: {', '.join(sorted(source.files))}"
    return UnknownFile(f"the configuration {source.digest[:_DIGITS]} has no '{path}'; {way}")


def print_changes(console: Console, changes: Sequence[Change]) -> None:
    """What differs, each change in a line, long texts with the lines that differ."""
    for change in changes:
        line = Text(printable(describe(change)))
        for pattern, style in _CHANGE_STYLES:
            line.highlight_regex(pattern, style)
        console.print(line)
        for part in excerpt(change):
            style = {"-": "red", "+": "green"}.get(part[:1], "dim")
            console.print(Text(f"    {printable(part)}", style))
    for total in summary(changes):
        console.print(total)


def print_origin(console: Console, origin: Origin) -> None:
    """A value with where it comes from, or the parts of a mapping with theirs."""
    if origin.children:
        console.print(Text(origin.path, "bold"))
    else:
        console.print(Text.assemble((origin.path, "bold"), " = ", printable(_flow(origin.value))))
    console.print(_place(origin))
    if origin.about is not None:
        console.print(Text(" ".join(origin.about.split()), "dim"))
    if origin.children:
        console.print()
        print_table(console, ["key", "value", "where"], list(_rows(origin)), flexible=1)


def _place(origin: Origin) -> str:
    if origin.default is None:
        return str(origin.location)
    at = f" under '{origin.under}' at {origin.location}" if origin.under else ""
    file = "" if at else f" to {origin.location.path}"
    return f"default of {origin.default}; to change it, add {origin.missing}{at}{file}"


def _rows(origin: Origin) -> Iterable[list[str | Text]]:
    for child in origin.children:
        key = child.path.removeprefix(origin.path).removeprefix(".")
        default = child.default is not None
        where = Text("default", "dim") if default else Text(str(child.location))
        yield [key, short(_flow(child.value), _LONGEST), where]


def _flow(value: Json) -> str:
    if isinstance(value, str):
        return value
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=float("inf"), sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")
