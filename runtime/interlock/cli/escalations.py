"""`interlock escalations`: what waits for a person, and what the person does about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from interlock.cli.config import Form, Format, Key
from interlock.cli.people import Id, Url, ask, left, print_fields, print_json, time_text

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Answer customers who wait for a person.")

_ADDRESS = "http://127.0.0.1:8080"
_PATH = "/v1/escalations"


class State(StrEnum):
    """Whether a person has it."""

    OPEN = "open"
    CLAIMED = "claimed"
    CLOSED = "closed"


@app.command("list")
def list_escalations(
    state: Annotated[
        State | None, typer.Option(help="Only these; left out, all that is not closed.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Only those of this queue.")] = None,
    url: Url = _ADDRESS,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """List escalations: what is not closed, the most urgent first; or the newest of a state."""
    from rich.console import Console

    from interlock.cli.table import print_table
    from interlock.cli.text import short

    path = f"{_PATH}/inbox" if state is None else _PATH
    page = ask(url, path, key=key, params={"state": state, "queue": queue})
    if form is Format.JSON:
        print_json(page)
        return
    if not page["escalations"]:
        typer.echo("nobody waits for a person" if state is None else "there are none")
        return
    rows = [
        [
            each["id"],
            each["priority"],
            each["queue"],
            each["claimedBy"] or each["state"],
            left(each["secondsLeft"]),
            each["reason"],
            short(each["summary"], 80),
        ]
        for each in page["escalations"]
    ]
    columns = ["id", "priority", "queue", "with", "time left", "reason", "summary"]
    print_table(Console(), columns, rows)


@app.command("show")
def show(id: Id, url: Url = _ADDRESS, key: Key = None, form: Form = Format.TEXT) -> None:
    """Show an escalation with the whole conversation."""
    from interlock.cli.text import printable

    found = ask(url, f"{_PATH}/{id}", key=key)
    if form is Format.JSON:
        print_json(found)
        return
    print_fields(
        {
            "id": found["id"],
            "state": found["state"] + (f" by {found['claimedBy']}" if found["claimedBy"] else ""),
            "queue": f"{found['queue']} ({found['priority']})",
            "time left": left(found["secondsLeft"]),
            "agent": found["agent"],
            "customer": found["customerId"],
            "reason": found["reason"],
            "detail": found["detail"],
            "summary": found["summary"],
            "last call": found["lastToolCall"],
            "since": time_text(found["createdAt"]),
            "closed": time_text(found["closedAt"]),
            "resolution": found["resolution"],
            "trace": f"interlock trace show {found['turnId']}",
        }
    )
    for message in found["messages"]:
        by = f" ({message['author']})" if message["author"] else ""
        typer.echo(f"\n{message['role']}{by}: {printable(message['text'])}")


@app.command("claim")
def claim(id: Id, url: Url = _ADDRESS, key: Key = None) -> None:
    """Take an escalation, so that nobody else answers."""
    found = ask(url, f"{_PATH}/{id}/claim", key=key, post=True)
    typer.echo(f"{id} is yours, {found['claimedBy']}")


@app.command("reply")
def reply(
    id: Id,
    text: Annotated[str, typer.Argument(help="What the customer reads.")],
    url: Url = _ADDRESS,
    key: Key = None,
) -> None:
    """Write to the customer. The escalation is yours from then on."""
    ask(url, f"{_PATH}/{id}/reply", key=key, body={"text": text})
    typer.echo("sent")


@app.command("hand-back")
def hand_back(
    id: Id,
    note: Annotated[
        str | None, typer.Option(help="What the agent should know; the customer does not see it.")
    ] = None,
    url: Url = _ADDRESS,
    key: Key = None,
) -> None:
    """Let the agent answer the customer's next message."""
    ask(url, f"{_PATH}/{id}/hand-back", key=key, body=_given(note=note))
    typer.echo(f"{id} is handed back to the agent")


@app.command("close")
def close(
    id: Id,
    resolution: Annotated[
        str | None, typer.Option(help="What came of it; the customer does not see it.")
    ] = None,
    url: Url = _ADDRESS,
    key: Key = None,
) -> None:
    """Close an escalation. What the customer writes later is the agent's again."""
    ask(url, f"{_PATH}/{id}/close", key=key, body=_given(resolution=resolution))
    typer.echo(f"{id} is closed")


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
