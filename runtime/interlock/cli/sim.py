"""`interlock sim`: a stand-in for a model, whose replies are decided by rules."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.exits import Exit
from interlock.cli.findings import print_text
from interlock.errors import InterlockError

if TYPE_CHECKING:
    from interlock.sim import SimRules

__all__ = ["PortTaken", "sim"]

_POLL_SECONDS = 0.02
_LATENCY = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


class PortTaken(InterlockError):
    """The simulator cannot listen where it was told to."""

    code = "cannot_listen"


def sim(
    rules: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The YAML file with the rules.")
    ],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8765,
    latency: Annotated[
        str, typer.Option(help="How long a reply takes where no rule says so, such as 300ms.")
    ] = "0ms",
) -> None:
    """Run a simulator of the Messages API: no model, no key, no cost."""
    from interlock.sim import create_app, serve

    app = create_app(_load(rules), default_latency_seconds=_seconds(latency))
    port = _free_port(host, port)

    async def run() -> None:
        serving = asyncio.create_task(serve(app, host, port))
        await _until_answering(serving, host, port)
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"Interlock simulator, not a model: answers by {rules} at http://{shown}:{port}")
        await serving

    asyncio.run(run())


def _load(path: Path) -> SimRules:
    """The rules; if they are not valid, prints the findings and ends the command."""
    from rich.console import Console

    from interlock.sim import SimRulesError, load_rules

    try:
        return load_rules(path)
    except SimRulesError as error:
        files = {str(path): path.read_bytes()}
        print_text(error.diagnostics, files, console=Console(stderr=True))
        raise typer.Exit(Exit.FAILED) from error


def _seconds(text: str) -> float:
    match = _LATENCY.fullmatch(text)
    if match is None:
        message = f"'{text}' is not a time such as 300ms or 1.5s"
        raise typer.BadParameter(message, param_hint="--latency")
    return float(match[1]) * (0.001 if match[2] == "ms" else 1)


async def _until_answering(serving: asyncio.Task[None], host: str, port: int) -> None:
    """Waits until the server takes connections, or ends: what is printed must be true."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return


def _free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises `PortTaken`."""
    try:
        with socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ) as listener:
            return int(listener.getsockname()[1])
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; "
            "choose another with --port"
        ) from error
