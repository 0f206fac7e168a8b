"""`interlock config`: which configurations there were, what they say, and going back to one."""

from __future__ import annotations

import asyncio
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlock.cli.exits import Exit
from interlock.cli.findings import count, refusing_invalid
from interlock.cli.text import plural

if TYPE_CHECKING:
    from rich.console import Console

    from interlock.cli.kept_configs import KeptConfigs

__all__ = ["Format", "app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Configurations: the history, what they say, where it says so, and going back.",
)

ADDRESS = "http://127.0.0.1:8080"


class Format(StrEnum):
    """How something is printed."""

    TEXT = "text"
    JSON = "json"


Project = Annotated[
    Path, typer.Option(exists=True, file_okay=False, help="The folder with interlock.yaml.")
]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="INTERLOCK_URL", help="Ask the service at this URL; without it, the project's store."
    ),
]
Key = Annotated[
    str | None, typer.Option(envvar="INTERLOCK_API_KEY", help="The API key of the service.")
]
Form = Annotated[Format, typer.Option("--format", help="For people or for programs.")]

_NAME = "8 or more digits of a digest, active, or previous."


@app.command("list")
def list_activations(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest ones.")] = 20,
    project: Project = Path(),
    url: Url = None,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """List the configurations that became active: when, from what, by whom and why."""
    from interlock.cli.config_text import print_activations

    with refusing_invalid(project):
        found = asyncio.run(_configs(project, url, key).activations(limit))
    if form is Format.JSON:
        _print_json(found)
    else:
        print_activations(_console(), found)


@app.command()
def show(
    digest: Annotated[str, typer.Argument(help=_NAME)] = "active",
    path: Annotated[str | None, typer.Argument(help="Print this file as it was.")] = None,
    project: Project = Path(),
    url: Url = None,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """Show the files of a configuration, or one file byte by byte."""
    from interlock.cli.config_text import file_facts, print_files, unknown_file

    with refusing_invalid(project):
        source = asyncio.run(_configs(project, url, key).source(digest))
    if path is not None:
        data = source.files.get(path)
        if data is None:
            raise unknown_file(path, source)
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    elif form is Format.JSON:
        _print_json({"digest": source.digest, "files": file_facts(source)})
    else:
        print_files(_console(), source)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_NAME)] = "previous",
    after: Annotated[str, typer.Argument(metavar="B", help=_NAME)] = "active",
    project: Project = Path(),
    url: Url = None,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """Show what differs in meaning between two configurations; without names, the last change."""
    from interlock.cli.config_text import print_changes

    with refusing_invalid(project):
        old, new, changes = asyncio.run(_configs(project, url, key).diff(before, after))
    if form is Format.JSON:
        _print_json({"from": old, "to": new, "changes": [each.to_json() for each in changes]})
    else:
        console = _console()
        console.print(f"{old[:12]} → {new[:12]}", style="dim")
        print_changes(console, changes)


@app.command()
def rollback(
    to: Annotated[str, typer.Argument(metavar="DIGEST|previous", help=_NAME)],
    why: Annotated[str, typer.Option(help="Kept in the history.")],
    url: Annotated[
        str, typer.Option(envvar="INTERLOCK_URL", help="Where the service is.")
    ] = ADDRESS,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """Make an earlier configuration of a running service the active one.

    The files are left alone until they change. Exit code 1 if it is not valid any more: then
    nothing has changed.
    """
    from interlock.cli.reload import print_applied, print_rejected
    from interlock.cli.service_request import ServiceRefused, request

    body = {"to": to, "why": why}
    try:
        answer = asyncio.run(request(url, "/v1/config/rollback", key=key, method="POST", body=body))
    except ServiceRefused as refused:
        if "active" not in refused.problem:
            raise
        if form is Format.JSON:
            _print_json(dict(refused.problem))
        else:
            print_rejected(refused.problem)
        raise typer.Exit(Exit.FAILED) from refused
    if form is Format.JSON:
        _print_json(answer)
    else:
        print_applied(answer)


@app.command()
def explain(
    path: Annotated[
        str,
        typer.Argument(help="Such as agents.NAME.limits.maxTokens, tools.NAME or server.port."),
    ],
    project: Project = Path(),
    url: Url = None,
    key: Key = None,
    form: Form = Format.TEXT,
) -> None:
    """Explain a value: its file and line, or the default that it is and where it could be set.

    Without a URL the project's files are asked, with one the service's active configuration.
    """
    from interlock.cli.config_text import print_origin
    from interlock.config.provenance import UnknownPath, origin_of
    from interlock.config.source import read_tree
    from interlock.guardrails import SETTINGS
    from interlock.reload.history import load_kept

    if url is None:
        source = read_tree(project)
    else:
        source = asyncio.run(_configs(project, url, key).source("active"))
    loaded = load_kept(source)
    try:
        origin = origin_of(loaded.documents, path, guardrails=SETTINGS)
    except UnknownPath as error:
        if loaded.snapshot is not None:
            raise
        errors, _ = count(loaded.found)
        way = f"{plural(errors, 'error')} may hide it, which interlock check shows"
        raise UnknownPath(f"{error} ({way})") from error
    if form is Format.JSON:
        _print_json(origin.to_json())
    else:
        print_origin(_console(), origin)


def _configs(project: Path, url: str | None, key: str | None) -> KeptConfigs:
    from interlock.cli.kept_configs import RemoteConfigs, StoredConfigs

    return StoredConfigs(project) if url is None else RemoteConfigs(url, key)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, soft_wrap=True)


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
