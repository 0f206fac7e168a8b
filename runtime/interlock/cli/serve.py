"""`interlock serve`: the service, until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock import __version__
from interlock.cli.findings import print_text, refusing_invalid
from interlock.cli.text import plural

if TYPE_CHECKING:
    from interlock.config.snapshot import Snapshot
    from interlock.reload.generation import Generation

__all__ = ["serve"]


def serve(
    project: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="The folder that has interlock.yaml."),
    ] = Path(),
    host: Annotated[str | None, typer.Option(help="Overrides server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Overrides server.port; 0 takes any.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Start with the last good files if these are not valid."),
    ] = False,
    state_dir: Annotated[
        Path | None,
        typer.Option(help="Where the last good files are kept; overrides reload.stateDir."),
    ] = None,
) -> None:
    """Run the service. SIGINT or SIGTERM ends it once the running turns have ended.

    It applies the project's files whenever they change and are valid. SIGHUP makes it look at
    once. Exit code 4 if the files are not valid at the start.
    """
    # Until the service listens to it: it would end the process, and there is nothing to reload.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    import uvloop
    from rich.console import Console

    from interlock.reload.log_lines import new_formatter
    from interlock.service.lifecycle import serve as run_service

    handler = logging.StreamHandler()
    handler.setFormatter(new_formatter())
    logging.basicConfig(handlers=[handler])
    # Of other libraries only what is wrong: some tell of every request.
    logging.getLogger("interlock").setLevel(logging.INFO)
    first: list[Snapshot] = []

    def show(generation: Generation) -> None:
        first.append(generation.snapshot)
        files = generation.snapshot.files
        print_text(generation.found, files, console=Console(stderr=True))

    def announce(url: str) -> None:
        snapshot = first[0]
        running = f"snapshot {snapshot.digest[:12]}, {plural(len(snapshot.agents), 'agent')}"
        typer.echo(f"Interlock {__version__} listening on {url}, {running}")

    with refusing_invalid(project):
        # A tenth less CPU time for a turn than asyncio's own loop.
        uvloop.run(
            run_service(
                project,
                os.environ,
                host=host,
                port=port,
                resume=resume,
                state_dir=state_dir,
                on_loaded=show,
                on_ready=announce,
            )
        )
