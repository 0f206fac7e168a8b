"""`interlock plugins`: which there are, a file to begin with, and whether a file is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.config import Form, Format, Project
from interlock.cli.exits import Exit
from interlock.errors import InterlockError

if TYPE_CHECKING:
    from interlock.diagnostics import Diagnostic
    from interlock.hooks.loading import Found
    from interlock.model.base import JsonObject

__all__ = ["UnknownHook", "app"]

app = typer.Typer(help="See, begin and check plugins.", no_args_is_help=True)


class UnknownHook(InterlockError):
    """There is no hook of that name."""

    code = "unknown_hook"


@app.command("list")
def list_plugins(project: Project = Path(), form: Form = Format.TEXT) -> None:
    """List the plugins of a project: name, version, where from, hooks, status.

    Their code is run to find that out. Exit code 1 if one of them cannot be used.
    """
    from rich.console import Console

    from interlock.cli.table import print_table
    from interlock.config.load import place_settings
    from interlock.config.source import read_tree
    from interlock.hooks.built_in import built_in_plugins
    from interlock.hooks.registry import load_plugins

    source = read_tree(project)
    declared = place_settings(source)
    plugins, found = load_plugins(source.files, declared, built_in=built_in_plugins(project))
    plugins.forget()
    rows = [_row(each.found, sorted(each.hooks), "ready") for each in plugins.members]
    known = {member.found.path for member in plugins.members}
    broken = dict.fromkeys(each.location.path for each in found if _is_fault(each))
    rows += [_broken(path, found) for path in broken if path not in known]
    disabled = declared.model.plugins.disable if declared is not None else ()
    rows += [
        {"name": name, "version": None, "origin": None, "file": None, "hooks": [], "status": "off"}
        for name in disabled
    ]
    if form is Format.JSON:
        typer.echo(json.dumps({"plugins": rows}, indent=2, ensure_ascii=False))
    else:
        columns = ("name", "version", "origin", "file", "hooks", "status")
        cells = [[_cell(row[column]) for column in columns] for row in rows]
        print_table(Console(), [column.upper() for column in columns], cells, flexible=4)
    if any(_is_fault(each) for each in found):
        raise typer.Exit(Exit.FAILED)


@app.command("new")
def new_plugin(
    hook: Annotated[str, typer.Argument(help="Such as guard_output; see docs/plugins.md.")],
) -> None:
    """Print a complete file for plugins/ that implements a hook."""
    from interlock.diagnostics import nearest
    from interlock.hooks.contract import HOOKS
    from interlock.hooks.drafts import draft

    if hook not in HOOKS:
        close = nearest(hook, HOOKS)
        way = f"did you mean '{close}'?" if close else f"hooks are: {', '.join(HOOKS)}"
        raise UnknownHook(f"there is no hook '{hook}'; {way}")
    typer.echo(draft(hook), nl=False)


@app.command("check")
def check_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Such as plugins/pii.py.")
    ],
    settings: Annotated[
        str | None,
        typer.Option(help="What plugins.settings has for it, as JSON.", metavar="JSON"),
    ] = None,
) -> None:
    """Check a plugin's file: its hooks, their arguments, and what its guards make of odd texts.

    Exit code 0 if nothing is wrong with it, 1 otherwise.
    """
    from rich.console import Console

    from interlock.cli.findings import count, count_text, print_text
    from interlock.testing.contract import check_plugin

    try:
        given = json.loads(settings) if settings is not None else {}
    except ValueError as error:
        raise typer.BadParameter(f"--settings is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise typer.BadParameter('--settings must be a JSON object, such as \'{"word": "x"}\'')
    found = check_plugin(file, settings=given)
    console = Console()
    print_text(found, {f"plugins/{file.name}": file.read_bytes()}, console=console)
    console.print(count_text(found), soft_wrap=True, highlight=False)
    if count(found)[0]:
        raise typer.Exit(Exit.FAILED)


def _row(found: Found, hooks: list[str], status: str) -> JsonObject:
    return {
        "name": found.name,
        "version": found.version,
        "origin": found.origin,
        "file": found.path if found.origin != "built-in" else None,
        "hooks": hooks,
        "status": status,
    }


def _is_fault(found: Diagnostic) -> bool:
    return found.code.startswith("ILK-P") and found.code != "ILK-P109"


def _broken(path: str, found: list[Diagnostic]) -> JsonObject:
    faults = [each for each in found if each.location.path == path]
    return {
        "name": Path(path).stem,
        "version": None,
        "origin": "drop-in" if path.startswith("plugins/") else "package",
        "file": path,
        "hooks": [],
        "status": f"{faults[0].code}: {faults[0].message}",
    }


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "-"
    return "-" if value is None else str(value)
