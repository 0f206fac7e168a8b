"""`interlock plan`: what the working tree would change, and what of it widens."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from interlock.cli.exits import Exit
from interlock.cli.findings import count_text, print_json, print_text
from interlock.cli.text import printable

if TYPE_CHECKING:
    from interlock.cli.baseline import Baseline
    from interlock.config.diff import Change
    from interlock.config.load import Loaded
    from interlock.config.snapshot import Snapshot

__all__ = ["CHANGES", "Format", "PlanCommand", "plan"]

CHANGES = 2
"""The exit code that says that there are changes. Of no other command: elsewhere it is `USAGE`."""

_STYLES = (
    (r"\(widening: .*\)$", "bold yellow"),
    (r"restart needed", "cyan"),
)


class Format(StrEnum):
    """How a plan is printed."""

    TEXT = "text"
    JSON = "json"


class PlanCommand(TyperCommand):
    """A command whose exit code 2 means nothing but changes: wrong usage ends with 1."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """The context for `args`; typer shows what is wrong with them."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except Exception as error:
            # Typer does not export the base of its errors on usage; it hears of this one.
            if getattr(error, "exit_code", None) == Exit.USAGE:
                vars(error)["exit_code"] = int(Exit.FAILED)
            raise


def plan(
    project: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="The folder that has interlock.yaml."),
    ] = Path(),
    against: Annotated[
        str | None,
        typer.Option(
            metavar="live|DIGEST|REVISION|FOLDER",
            help="What to compare with; HEAD where the project is in a git repository.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where the service is, for --against live.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(envvar="INTERLOCK_API_KEY", help="The API key of the service.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="For people or for programs.")
    ] = Format.TEXT,
) -> None:
    """Show what would change if the project's files were made active, and what of it widens.

    Exit code 0 if nothing changes, 2 if something does, 1 if the files are not valid or cannot
    be compared.
    """
    from interlock.cli.baseline import read_baseline
    from interlock.config.diff import diff
    from interlock.config.source import read_tree
    from interlock.cost.prices import price_of
    from interlock.guardrails import SETTINGS
    from interlock.reload.generation import check
    from interlock.reload.history import load_kept

    loaded, _ = check(read_tree(project), os.environ, project=project)
    after = _require(loaded, form)
    baseline = asyncio.run(
        read_baseline(
            project,
            against,
            settings=after.settings,
            environment=os.environ,
            url=url,
            key=key,
        )
    )
    before = _require(load_kept(baseline.source), form, name=baseline.name)
    changes = diff(
        before,
        after,
        lambda model, overrides: price_of(model, overrides=overrides),
        guardrails=SETTINGS,
    )
    match form:
        case Format.JSON:
            _print_json(changes, baseline, after)
        case Format.TEXT:
            _print_text(changes, baseline, after)
    if changes:
        raise typer.Exit(CHANGES)


def _require(loaded: Loaded, form: Format, *, name: str | None = None) -> Snapshot:
    """The snapshot; without one, the findings are printed as by `interlock check`."""
    if loaded.snapshot is not None:
        return loaded.snapshot
    from rich.console import Console

    if form is Format.JSON:
        print_json(loaded.found, {"digest": loaded.source.digest, "in": name})
    else:
        console = Console()
        print_text(loaded.found, loaded.source.files, console=console)
        place = f" in {name}" if name is not None else ""
        summary = printable(f"{count_text(loaded.found)}{place}")
        console.print(summary, soft_wrap=True, highlight=False, markup=False)
    raise typer.Exit(Exit.FAILED)


def _print_json(changes: Sequence[Change], baseline: Baseline, after: Snapshot) -> None:
    document = {
        "valid": True,
        "against": {"name": baseline.name, "digest": baseline.source.digest},
        "digest": after.digest,
        "widenings": sum(change.widening for change in changes),
        "restartNeeded": [change.path for change in changes if change.restart_needed],
        "changes": [change.to_json() for change in changes],
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _print_text(changes: Sequence[Change], baseline: Baseline, after: Snapshot) -> None:
    from rich.console import Console
    from rich.text import Text

    from interlock.config.diff_lines import describe, excerpt, summary

    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(Text(printable(f"compared with {baseline.name}"), "dim"))
    for change in changes:
        line = Text(printable(describe(change)))
        for pattern, style in _STYLES:
            line.highlight_regex(pattern, style)
        console.print(line)
        for part in excerpt(change):
            style = {"-": "red", "+": "green"}.get(part[:1], "dim")
            console.print(Text(f"    {printable(part)}", style))
    for total in summary(changes):
        console.print(total)
    if not changes and baseline.source.digest != after.digest:
        console.print("the files differ, but mean the same")
