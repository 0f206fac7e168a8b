"""`interlock canary`: how a configuration on trial does, and ending the trial by hand."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlock.cli.config import ADDRESS, Form, Format, Key
from interlock.cli.exits import Exit

if TYPE_CHECKING:
    from interlock.model.base import JsonObject

__all__ = ["app"]

app = typer.Typer(help="A configuration that is tried on a share of the new conversations.")

Url = Annotated[str, typer.Option(envvar="INTERLOCK_URL", help="Where the service is.")]
Why = Annotated[str | None, typer.Option(help="Kept in the history.")]


@app.command()
def show(url: Url = ADDRESS, key: Key = None, form: Form = Format.TEXT) -> None:
    """Show the configuration on trial beside the active one. Exit code 1 if there is none."""
    from rich.console import Console

    from interlock.cli.service_request import request

    canary = asyncio.run(request(url, "/v1/config", key=key))["canary"]
    if form is Format.JSON:
        typer.echo(json.dumps(canary, indent=2, ensure_ascii=False))
    elif canary is None:
        typer.echo("no configuration is on trial")
    else:
        console = Console()
        for line in _lines(canary):
            console.print(line, soft_wrap=True, highlight=False, markup=False)
    if canary is None:
        raise typer.Exit(Exit.FAILED)


@app.command()
def promote(url: Url = ADDRESS, key: Key = None, why: Why = None) -> None:
    """Make the configuration on trial the active one now."""
    answer = _end("promote", url=url, key=key, why=why)
    typer.echo(f"applied: generation {answer['generation']}, snapshot {answer['digest'][:12]}")


@app.command()
def abort(url: Url = ADDRESS, key: Key = None, why: Why = None) -> None:
    """Stop trying the configuration; it is rejected until the files change."""
    answer = _end("abort", url=url, key=key, why=why)
    typer.echo(
        f"aborted: snapshot {answer['canary'][:12]}; generation {answer['generation']}, "
        f"snapshot {answer['digest'][:12]} serves on"
    )


def _end(verdict: str, *, url: str, key: str | None, why: str | None) -> Any:
    from interlock.cli.service_request import request

    body: JsonObject = {} if why is None else {"why": why}
    path = f"/v1/config/canary/{verdict}"
    return asyncio.run(request(url, path, key=key, method="POST", body=body))


def _lines(canary: Any) -> list[str]:
    arms = [("canary", canary["canary"]), ("active", canary["active"])]
    return [
        f"snapshot {canary['digest'][:12]} (generation {canary['generation']}) gets "
        f"{canary['share']:.0%} of the new conversations",
        f"from {canary['since']} until {canary['until']}",
        *(
            f"{name}: {arm['turns']} turns, {arm['escalated']} escalated, {arm['failed']} failed, "
            f"{arm['refused']} refused, ${arm['costUsd']}"
            for name, arm in arms
        ),
        f"verdict: {canary['verdict']}",
    ]
