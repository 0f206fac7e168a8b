"""`interlock chat`: talking to an agent, in this process or through a running service."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.exits import Exit
from interlock.cli.findings import refusing_invalid

if TYPE_CHECKING:
    from interlock.cli.conversation import Talk
    from interlock.model.base import JsonObject

    Opening = Callable[[], AbstractAsyncContextManager[Talk]]

__all__ = ["chat"]


def chat(
    agent: Annotated[str, typer.Argument(help="The agent's name.")],
    message: Annotated[
        str | None, typer.Argument(help="The message; without it, lines are read until Ctrl-D.")
    ] = None,
    project: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="The folder with interlock.yaml.")
    ] = Path(),
    customer: Annotated[str | None, typer.Option(help="Who the customer is.")] = None,
    session: Annotated[
        str, typer.Option(help="Further claims about the customer, as a JSON object.")
    ] = "{}",
    url: Annotated[
        str | None,
        typer.Option(help="Talk to the service at this URL; INTERLOCK_API_KEY may hold its key."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each answer as a JSON document.")
    ] = False,
) -> None:
    """Talk to an agent.

    The answer goes to standard output, the progress to standard error. The exit code is 1 if a
    single message's turn failed.
    """
    claims = _claims(session)
    if message is not None and not message.strip():
        raise typer.BadParameter("the message is empty", param_hint="MESSAGE")
    if url is not None and not url.startswith(("http://", "https://")):
        raise typer.BadParameter("must be like http://127.0.0.1:8080", param_hint="--url")
    opening: Opening
    if url is None:
        from interlock.cli.local_chat import open_local

        opening = partial(open_local, project, agent, customer_id=customer, session=claims)
    else:
        from interlock.cli.remote_chat import open_remote

        opening = partial(open_remote, url, agent, customer_id=customer, session=claims)
    with refusing_invalid(project):
        ok = asyncio.run(_chat(opening, message, as_json=as_json))
    if not ok:
        raise typer.Exit(Exit.FAILED)


def _claims(text: str) -> JsonObject:
    try:
        claims = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--session") from None
    if not isinstance(claims, dict):
        raise typer.BadParameter("must be a JSON object", param_hint="--session")
    return claims


async def _chat(opening: Opening, message: str | None, *, as_json: bool) -> bool:
    """Whether the one message was answered; a dialogue always is."""
    async with opening() as talk:
        if message is not None:
            answer = await _ask(talk, message, as_json=as_json)
            return bool(answer["outcome"] != "failed")
        await _dialogue(talk, as_json=as_json)
        return True


async def _dialogue(talk: Talk, *, as_json: bool) -> None:
    from interlock.cli.stdin_lines import StdinLines

    lines, terminal = StdinLines(), sys.stdin.isatty()
    while True:
        if terminal:
            print("> ", end="", file=sys.stderr, flush=True)
        line = await lines.next()
        if line is None:
            break
        if line.strip():
            await _ask(talk, line, as_json=as_json)
    if terminal:
        print(file=sys.stderr)


async def _ask(talk: Talk, text: str, *, as_json: bool) -> JsonObject:
    from rich.console import Console

    from interlock.cli.progress import Progress, summary
    from interlock.cli.text import printable

    console = Console(stderr=True, highlight=False, markup=False)
    answer = await talk.send(text, Progress(console))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        typer.echo(printable(answer["reply"]))
    console.print(summary(answer), soft_wrap=True, style="dim")
    return answer
