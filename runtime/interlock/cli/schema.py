"""`interlock schema`: the JSON Schemas that let editors complete and check the YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.exits import Exit

__all__ = ["schema", "stale", "write_schemas"]


def schema(
    project: Annotated[
        Path,
        typer.Option(exists=True, file_okay=False, help="The project whose plugins count too."),
    ] = Path(),
    write: Annotated[
        Path | None, typer.Option("--write", file_okay=False, help="Write them to this folder.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", file_okay=False, help="Only tell which are stale.")
    ] = None,
) -> None:
    """Write or check the JSON Schemas for editors.

    They hold the settings of the project's plugins, whose code is run to find them.

    With --check the exit code is 1 if a file is stale or missing.
    """
    if (write is None) == (check is None):
        raise typer.BadParameter("give either --write FOLDER or --check FOLDER")
    if write is not None:
        for path in write_schemas(write, project):
            typer.echo(f"wrote {path}")
    elif check is not None:
        found = stale(check, _schemas(project))
        for name in found:
            typer.echo(f"stale: {check / name}")
        if found:
            typer.echo(f"write them anew with: interlock schema --write {check}", err=True)
            raise typer.Exit(Exit.FAILED)
        typer.echo(f"current: {check}")


def write_schemas(folder: Path, project: Path | None = None) -> list[Path]:
    """Writes every schema into `folder`, with the plugins of a project; which files these are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in _schemas(project).items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def stale(folder: Path, schemas: Mapping[str, str]) -> list[str]:
    """The schemas whose file in `folder` is missing or differs."""
    return [name for name, text in schemas.items() if _content(folder / name) != text.encode()]


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _schemas(project: Path | None) -> Mapping[str, str]:
    from interlock.config.load import place_settings
    from interlock.config.schema import generate
    from interlock.config.source import Source, read_tree
    from interlock.hooks.built_in import built_in_plugins
    from interlock.hooks.registry import load_plugins

    source = Source({}) if project is None else read_tree(project)
    built_in = built_in_plugins(project or Path())
    plugins, _ = load_plugins(source.files, place_settings(source), built_in=built_in)
    plugins.forget()
    return generate(
        {name: kind.settings for name, kind in plugins.guardrails.items()},
        sinks={name: kind.settings for name, kind in plugins.sinks.items()},
        plugins=plugins.settings_models,
    )
