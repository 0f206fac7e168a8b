"""`interlock check`: everything that is wrong with a project, at once, without starting it."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.exits import Exit
from interlock.cli.findings import count, count_text, print_github, print_json, print_text
from interlock.cli.text import plural

if TYPE_CHECKING:
    from interlock.config.bounds import WorstCase
    from interlock.config.snapshot import Snapshot
    from interlock.model.base import JsonObject

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
    """Check a project: all findings, and what conversations can cost at most.

    Each finding has its place, a hint and a code. Exit code 0 if it is valid, 1 if it has errors,
    3 if it has warnings and --strict is given.
    """
    from rich.console import Console

    from interlock.config.source import read_tree
    from interlock.reload.generation import check as check_source

    loaded, toolbox = check_source(read_tree(project), os.environ, project=project)
    if toolbox is not None:
        toolbox.forget()
    snapshot, found = loaded.snapshot, loaded.found
    worst = {} if snapshot is None else _worst_cases(snapshot)
    match form:
        case Format.JSON:
            facts = {
                "digest": loaded.source.digest,
                "agents": [_to_json(*each) for each in worst.items()] if snapshot else None,
                "tools": sorted(snapshot.tools) if snapshot else None,
            }
            print_json(found, facts)
        case Format.GITHUB:
            print_github(found, project)
        case Format.TEXT:
            console = Console()
            print_text(found, loaded.source.files, console=console)
            for name, case in worst.items():
                console.print(_line(name, case), soft_wrap=True, highlight=False, markup=False)
            summary = count_text(found)
            if snapshot is not None:
                agents = plural(len(snapshot.agents), "agent")
                tools = plural(len(snapshot.tools), "tool")
                summary = f"valid: {snapshot.digest[:12]}, {agents}, {tools}, {summary}"
            console.print(summary, soft_wrap=True, highlight=False)
            if found and console.is_terminal:
                console.print(f"what a code means: interlock explain {found[0].code}", style="dim")
    errors, warnings = count(found)
    if errors:
        raise typer.Exit(Exit.FAILED)
    if warnings and strict:
        raise typer.Exit(Exit.WARNINGS)


def _worst_cases(snapshot: Snapshot) -> dict[str, WorstCase]:
    """The worst case of one conversation with each agent, by name."""
    from interlock.config.bounds import agent_routes, worst_case
    from interlock.cost.prices import price_of

    return {
        name: worst_case(
            agent,
            agent_routes(
                agent,
                snapshot.settings,
                lambda model, overrides: price_of(model, overrides=overrides),
            ),
        )
        for name, agent in sorted(snapshot.agents.items())
    }


def _line(name: str, case: WorstCase) -> str:
    from interlock.config.diff_cost import dollars

    tokens = f"{name}: at most {case.tokens:,} tokens"
    if case.cost_nano is None:
        return f"{tokens} a conversation, at an unknown price: {', '.join(case.unpriced)}"
    cost = dollars(case.cost_nano)[0]
    return f"{tokens} and {cost} a conversation (limited by {case.limited_by})"


def _to_json(name: str, case: WorstCase) -> JsonObject:
    from interlock.model.usage import usd

    return {
        "name": name,
        "maxTokens": case.tokens,
        "maxCostUsd": None if case.cost_nano is None else float(usd(case.cost_nano)),
        "limitedBy": case.limited_by,
        "unpriced": list(case.unpriced),
    }
