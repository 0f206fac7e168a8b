"""`interlock schema`: the JSON Schemas that let editors complete and check the YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.exits import Exit

__all__ = ["schema", "stale", "write_schemas"]


def schema(
    write: Annotated[
        Path | None, typer.Option("--write", file_okay=False, help="Write them to this folder.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", file_okay=False, help="Only tell which are stale.")
    ] = None,
) -> None:
    """Write or check the JSON Schemas for editors.

    With --check the exit code is 1 if a file is stale or missing.
    """
    if (write is None) == (check is None):
        raise typer.BadParameter("give either --write FOLDER or --check FOLDER")
    if write is not None:
        for path in write_schemas(write):
            typer.echo(f"wrote {path}")
    elif check is not None:
        found = stale(check, _schemas())
        for name in found:
            typer.echo(f"stale: {check / name}")
        if found:
            typer.echo(f"write them anew with: interlock schema --write {check}", err=True)
            raise typer.Exit(Exit.FAILED)
        typer.echo(f"current: {check}")


def write_schemas(folder: Path) -> list[Path]:
    """Writes every schema into `folder`, and says which files these are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in _schemas().items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def stale(folder: Path, schemas: Mapping[str, str]) -> list[str]:
    """The schemas whose file in `folder` is missing or differs."""
    return [name for name, text in schemas.items() if _content(folder / name) != text.encode()]


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _schemas() -> Mapping[str, str]:
    from interlock.config.schema import generate
    from interlock.guardrails import SETTINGS

    return generate(SETTINGS)
