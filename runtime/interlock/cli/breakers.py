"""`interlock breakers`: what is open in a running service, and operators' word on it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from interlock.cli.config import ADDRESS, Form, Format, Key

if TYPE_CHECKING:
    from interlock.model.base import JsonObject

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Breakers of a running service: which are open and why, and opening and closing them.",
)

Name = Annotated[str, typer.Argument(help="As `interlock breakers list` has it.")]
Why = Annotated[str, typer.Option(help="For other operators; customers do not see it.")]
Url = Annotated[str, typer.Option(envvar="INTERLOCK_URL", help="Where the service is.")]


@app.command("list")
def list_breakers(url: Url = ADDRESS, key: Key = None, form: Form = Format.TEXT) -> None:
    """List all breakers: state, what they judge by, since when, why, and the next probe."""
    from rich.console import Console

    from interlock.cli.service_request import request
    from interlock.cli.table import print_table

    answer = asyncio.run(request(url, "/v1/breakers", key=key))
    if form is Format.JSON:
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    columns = ["breaker", "state", "since (UTC)", "next probe", "counts", "by", "why"]
    rows = [
        [
            each["name"],
            _state(each),
            _time(each["since"]),
            _time(each["nextProbe"]),
            _counts(each["counts"]),
            each["who"] or "-",
            each["why"] or "-",
        ]
        for each in answer["breakers"]
    ]
    print_table(Console(), columns, rows)


@app.command()
def trip(name: Name, why: Why, url: Url = ADDRESS, key: Key = None) -> None:
    """Open a breaker at once; it stays open until it is reset."""
    _operate("trip", name, why, url=url, key=key)


@app.command()
def reset(name: Name, why: Why, url: Url = ADDRESS, key: Key = None) -> None:
    """Close a breaker, whatever opened it. A spend cap may be spent anew."""
    _operate("reset", name, why, url=url, key=key)


@app.command()
def disable(name: Name, why: Why, url: Url = ADDRESS, key: Key = None) -> None:
    """Close a breaker and keep it from opening; it stops nothing until it is enabled."""
    _operate("disable", name, why, url=url, key=key)


@app.command()
def enable(name: Name, why: Why, url: Url = ADDRESS, key: Key = None) -> None:
    """Let a breaker that was disabled open again."""
    _operate("enable", name, why, url=url, key=key)


def _operate(operation: str, name: str, why: str, *, url: str, key: str | None) -> None:
    from interlock.cli.service_request import request

    if not why.strip():
        raise typer.BadParameter("is empty", param_hint="--why")
    path = f"/v1/breakers/{quote(name, safe='')}/{operation}"
    body: JsonObject = {"why": why.strip()}
    breaker = asyncio.run(request(url, path, key=key, method="POST", body=body))
    typer.echo(f"{breaker['name']} is {_state(breaker)}")


def _state(breaker: Any) -> str:
    word = str(breaker["state"]).replace("_", " ")
    if breaker["disabled"]:
        return f"{word}, disabled"
    return f"{word}, until reset" if breaker["held"] else word


def _counts(counts: JsonObject) -> str:
    known = {name: value for name, value in counts.items() if value is not None}
    return ", ".join(f"{name} {value}" for name, value in known.items()) or "-"


def _time(text: str | None) -> str:
    return "-" if text is None else f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"
