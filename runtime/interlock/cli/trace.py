"""`interlock trace`: what happened in a turn, read from the store."""

from __future__ import annotations

import asyncio
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.findings import refusing_invalid
from interlock.cli.project import read_settings, store_url

if TYPE_CHECKING:
    from rich.console import Console

    from interlock.model.base import JsonObject
    from interlock.model.event import TraceEvent
    from interlock.store.records import Turn

    Traced = list[tuple[Turn, tuple[TraceEvent, ...]]]

__all__ = ["Format", "app", "show"]

app = typer.Typer(no_args_is_help=True, help="Read what happened in a turn.")


class Format(StrEnum):
    """How a trace is printed."""

    TEXT = "text"
    JSON = "json"


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="A turn (turn_...) or a conversation (conv_...).")],
    project: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="The folder with interlock.yaml.")
    ] = Path(),
    form: Annotated[
        Format, typer.Option("--format", help="For people or for programs.")
    ] = Format.TEXT,
) -> None:
    """Show a turn, or all turns of a conversation, as trees: plans, calls, costs, decisions."""
    from rich.console import Console

    with refusing_invalid(project):
        url = store_url(read_settings(project), os.environ)
    traced = asyncio.run(_read(url, project, id))
    if form is Format.JSON:
        document = {"turns": [_to_json(turn, events) for turn, events in traced]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for index, (turn, events) in enumerate(traced):
        if index:
            console.print()
        _print(console, turn, events)


async def _read(url: str, project: Path, id: str) -> Traced:
    from interlock.store.store import Store

    async with await Store.open(url, project=project, read_only=True) as store:
        if id.startswith("conv_"):
            conversation = await store.conversation(id)
            turns = await store.turns(conversation.id)
        else:
            turns = (await store.turn(id),)
        return [(turn, await store.events(turn.id)) for turn in turns]


def _print(console: Console, turn: Turn, events: tuple[TraceEvent, ...]) -> None:
    from rich.text import Text

    from interlock.cli.text import printable
    from interlock.cli.trace_tree import trace_tree

    about = (
        f"{turn.conversation_id}, snapshot {turn.snapshot[:12]}, {turn.started_at:%Y-%m-%d %X} UTC"
    )
    console.print(Text(about, "dim"))
    console.print(Text.assemble(("message ", "bold"), printable(turn.text)))
    console.print(trace_tree(events))


def _to_json(turn: Turn, events: tuple[TraceEvent, ...]) -> JsonObject:
    return {
        "id": turn.id,
        "conversationId": turn.conversation_id,
        "state": turn.state,
        "text": turn.text,
        "reply": turn.reply,
        "outcome": turn.outcome,
        "reason": turn.reason,
        "snapshot": turn.snapshot,
        "startedAt": turn.started_at.isoformat(),
        "endedAt": turn.ended_at.isoformat() if turn.ended_at else None,
        "iterations": turn.iterations,
        "modelCalls": turn.model_calls,
        "toolCalls": turn.tool_calls,
        "tokens": turn.tokens,
        "costNano": turn.cost_nano,
        "unpricedCalls": turn.unpriced_calls,
        "escalation": turn.escalation,
        "events": [event.to_json() for event in events],
    }
