"""`interlock check`: everything that is wrong with a project, at once, without starting it."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.exits import Exit
from interlock.cli.findings import count, count_text, print_github, print_json, print_text
from interlock.cli.text import plural

__all__ = ["Format", "check"]


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    project: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="The folder that has interlock.yaml."),
    ] = Path(),
    form: Annotated[
        Format, typer.Option("--format", help="For people, programs or GitHub annotations.")
    ] = Format.TEXT,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings fail too, with exit code 3.")
    ] = False,
) -> None:
    """Check a project: all findings, each with its place and a hint.

    Exit code 0 if it is valid, 1 if it has errors, 3 if it has warnings and --strict is given.
    """
    from rich.console import Console

    from interlock.config.source import read_tree
    from interlock.reload.generation import check as check_source

    loaded, _ = check_source(read_tree(project), os.environ)
    snapshot, found = loaded.snapshot, loaded.found
    match form:
        case Format.JSON:
            facts = {
                "digest": loaded.source.digest,
                "agents": sorted(snapshot.agents) if snapshot else None,
                "tools": sorted(snapshot.tools) if snapshot else None,
            }
            print_json(found, facts)
        case Format.GITHUB:
            print_github(found, project)
        case Format.TEXT:
            console = Console()
            print_text(found, loaded.source.files, console=console)
            summary = count_text(found)
            if snapshot is not None:
                agents = plural(len(snapshot.agents), "agent")
                tools = plural(len(snapshot.tools), "tool")
                summary = f"valid: {snapshot.digest[:12]}, {agents}, {tools}, {summary}"
            console.print(summary, soft_wrap=True, highlight=False)
    errors, warnings = count(found)
    if errors:
        raise typer.Exit(Exit.FAILED)
    if warnings and strict:
        raise typer.Exit(Exit.WARNINGS)
