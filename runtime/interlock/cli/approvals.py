"""`interlock approvals`: the tool calls that wait for a person, and the decisions on them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from interlock.cli.config import Form, Format, Key
from interlock.cli.people import Id, Url, ask, left, print_fields, print_json, time_text

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Decide on tool calls that wait for a person.")

_ADDRESS = "http://127.0.0.1:8080"
_PATH = "/v1/approvals"

Reason = Annotated[str | None, typer.Option(help="The model reads it, and may tell the customer.")]


@app.command("list")
def list_approvals(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were decided.")
    ] = False,
    url: Url = _ADDRESS,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """List the calls that wait, newest first."""
    from rich.console import Console

    from interlock.cli.table import print_table
    from interlock.cli.text import short

    page = ask(url, _PATH, key=key, params={"state": None if everything else "pending"})
    if form is Format.JSON:
        print_json(page)
        return
    if not page["approvals"]:
        typer.echo("there are none" if everything else "nothing waits for a decision")
        return
    rows = [
        [
            each["id"],
            each["verdict"] or each["state"],
            each["tool"],
            short(json.dumps(each["input"], ensure_ascii=False), 80),
            each["customerId"] or "-",
            left(each["secondsLeft"]),
            each["decidedBy"] or "-",
        ]
        for each in page["approvals"]
    ]
    columns = ["id", "state", "tool", "input", "customer", "time left", "decided by"]
    print_table(Console(), columns, rows)


@app.command("show")
def show(id: Id, url: Url = _ADDRESS, key: Key = None, form: Form = Format.TEXT) -> None:
    """Show a call exactly as it would be made."""
    found = ask(url, f"{_PATH}/{id}", key=key)
    if form is Format.JSON:
        print_json(found)
        return
    verdict = f" ({found['verdict']} by {found['decidedBy'] or 'nobody'})"
    result = found["result"]
    print_fields(
        {
            "id": found["id"],
            "state": found["state"] + (verdict if found["verdict"] else ""),
            "tool": found["tool"],
            "arguments": json.dumps(found["arguments"], indent=2, ensure_ascii=False),
            "agent": found["agent"],
            "customer": found["customerId"],
            "why": found["why"],
            "asked": time_text(found["createdAt"]),
            "time left": left(found["secondsLeft"]),
            "reason": found["reason"],
            "result": None if result is None else json.dumps(result, ensure_ascii=False),
            "trace": f"interlock trace show {found['turnId']}",
        }
    )


@app.command("approve")
def approve(id: Id, url: Url = _ADDRESS, key: Key = None) -> None:
    """Say yes: exactly this call is carried out, once."""
    ask(url, f"{_PATH}/{id}/approve", key=key, post=True)
    typer.echo(f"{id} is approved; the customer hears of it")


@app.command("edit")
def edit(
    id: Id,
    input: Annotated[str, typer.Argument(help="The whole input as JSON.")],
    url: Url = _ADDRESS,
    key: Key = None,
) -> None:
    """Say yes to another input."""
    ask(url, f"{_PATH}/{id}/edit", key=key, body={"input": _json(input, "INPUT")})
    typer.echo(f"{id} is approved as edited; the customer hears of it")


@app.command("deny")
def deny(id: Id, reason: Reason = None, url: Url = _ADDRESS, key: Key = None) -> None:
    """Say no: nothing is carried out."""
    ask(url, f"{_PATH}/{id}/deny", key=key, body={} if reason is None else {"reason": reason})
    typer.echo(f"{id} is denied; the customer hears of it")


@app.command("answer")
def answer(
    id: Id,
    result: Annotated[str, typer.Argument(help="The result as JSON.")],
    reason: Reason = None,
    url: Url = _ADDRESS,
    key: Key = None,
) -> None:
    """Give the result in the tool's place; nothing is carried out."""
    body = {"result": _json(result, "RESULT")} | ({} if reason is None else {"reason": reason})
    ask(url, f"{_PATH}/{id}/answer", key=key, body=body)
    typer.echo(f"{id} is answered; the customer hears of it")


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"is not JSON: {error}", param_hint=name) from error
