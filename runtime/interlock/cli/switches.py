"""`interlock disable`, `enable` and `switches`: an agent or a tool is off at once, until lifted."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.config import Form, Format, Key, Project
from interlock.cli.findings import refusing_invalid

if TYPE_CHECKING:
    from interlock.cli.switch_board import SwitchBoard
    from interlock.store.records import SwitchKind

__all__ = ["Kind", "disable", "enable", "switches"]


class Kind(StrEnum):
    """What can be switched off."""

    AGENT = "agent"
    TOOL = "tool"


What = Annotated[Kind, typer.Argument(help="What is switched.")]
Name = Annotated[str, typer.Argument(help="Its name.")]
ForAgent = Annotated[
    str | None, typer.Option("--agent", help="Only for this agent, if it is a tool.")
]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="INTERLOCK_URL",
        help="The running service; without it, the store of a project that no service uses.",
    ),
]


def disable(
    kind: What,
    name: Name,
    why: Annotated[str, typer.Option(help="For other operators; customers do not see it.")],
    agent: ForAgent = None,
    project: Project = Path(),
    url: Url = None,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """Switch an agent or a tool off at once, for running turns too, until it is enabled.

    It stays off through reloads and restarts. What is off already stays as it was.
    """
    _require_tool(kind, agent)
    if not why.strip():
        raise typer.BadParameter("is empty", param_hint="--why")
    with refusing_invalid(project):
        board = _board(project, url, key)
        switch = asyncio.run(board.disable(_kind(kind), name, agent=agent, why=why.strip()))
    if form is Format.JSON:
        typer.echo(json.dumps(switch, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{_what(kind, name, agent)} is off since {_time(switch['since'])} UTC")
        if url is None:
            typer.echo("no service runs here now; the next one that starts heeds it")


def enable(
    kind: What,
    name: Name,
    agent: ForAgent = None,
    project: Project = Path(),
    url: Url = None,
    key: Key = None,
) -> None:
    """Switch an agent or a tool on again. Nothing happens if it is on."""
    _require_tool(kind, agent)
    with refusing_invalid(project):
        asyncio.run(_board(project, url, key).enable(_kind(kind), name, agent=agent))
    typer.echo(f"{_what(kind, name, agent)} is on")


def switches(
    project: Project = Path(), url: Url = None, key: Key = None, form: Form = Format.TEXT
) -> None:
    """List what is switched off, since when, by whom and why."""
    from rich.console import Console

    from interlock.cli.table import print_table

    with refusing_invalid(project):
        found = asyncio.run(_board(project, url, key).active())
    if form is Format.JSON:
        typer.echo(json.dumps({"switches": found}, indent=2, ensure_ascii=False))
        return
    if not found:
        typer.echo("nothing is switched off")
        return
    rows = [
        [
            each["kind"],
            each["name"] + (f" (of {each['agent']})" if each["agent"] else ""),
            _time(each["since"]),
            each["who"] or "-",
            each["why"],
        ]
        for each in found
    ]
    print_table(Console(), ["what", "name", "off since (UTC)", "by", "why"], rows)


def _board(project: Path, url: str | None, key: str | None) -> SwitchBoard:
    from interlock.cli.switch_board import RemoteBoard, StoredBoard

    return StoredBoard(project) if url is None else RemoteBoard(url, key)


def _require_tool(kind: Kind, agent: str | None) -> None:
    if agent is not None and kind is Kind.AGENT:
        raise typer.BadParameter("is only for tools", param_hint="--agent")


def _kind(kind: Kind) -> SwitchKind:
    return kind.value


def _what(kind: Kind, name: str, agent: str | None) -> str:
    return f"{kind.value} {name}" + (f" of {agent}" if agent else "")


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"
