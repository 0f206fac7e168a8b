"""`interlock serve`: the service, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from interlock import __version__
from interlock.cli.findings import print_text, refusing_invalid
from interlock.cli.text import plural

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
) -> None:
    """Run the service. SIGINT or SIGTERM ends it once the running turns have ended.

    Exit code 4 if the configuration is not valid.
    """
    from rich.console import Console

    from interlock.config.source import read_tree
    from interlock.errors import ConfigError
    from interlock.reload.generation import check
    from interlock.service.lifecycle import serve as run_service

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Of other libraries only what is wrong: some tell of every request.
    logging.getLogger("interlock").setLevel(logging.INFO)
    with refusing_invalid(project):
        loaded, _ = check(read_tree(project), os.environ)
        snapshot = loaded.snapshot
        if snapshot is None:
            raise ConfigError(loaded.found)
        print_text(loaded.found, loaded.source.files, console=Console(stderr=True))

        def announce(url: str) -> None:
            running = f"snapshot {snapshot.digest[:12]}, {plural(len(snapshot.agents), 'agent')}"
            typer.echo(f"Interlock {__version__} listening on {url}, {running}")

        asyncio.run(run_service(project, os.environ, host=host, port=port, on_ready=announce))
