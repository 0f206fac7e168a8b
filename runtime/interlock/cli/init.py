"""`interlock init`: a small project that works at once."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.schema import write_schemas
from interlock.errors import InterlockError

__all__ = ["FolderNotEmpty", "init"]

_NEXT = """
next, in {folder}:

  interlock check
  interlock sim sim.yaml     # leave it running
  interlock chat assistant "When are you open on Saturday?"     # in a second terminal
"""
_NAMED = 5


class FolderNotEmpty(InterlockError):
    """A project would be written over something that is there already."""

    code = "folder_not_empty"

    def __init__(self, folder: Path, found: list[str]) -> None:
        named = ", ".join(found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        super().__init__(f"'{folder}' holds {named}{more}; choose a folder that is empty or new")


def init(
    folder: Annotated[
        Path, typer.Argument(file_okay=False, help="The folder to make; it may exist if empty.")
    ],
) -> None:
    """Write a new project: an agent, two tools, and rules for the simulator."""
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if found:
        raise FolderNotEmpty(folder, found)
    written = []
    for name, content in _starter(files("interlock.cli") / "starter"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    written += write_schemas(folder / "schemas")
    for path in sorted(written):
        typer.echo(f"wrote {path}")
    typer.echo(_NEXT.format(folder=folder), nl=False)


def _starter(folder: Traversable, at: str = "") -> Iterator[tuple[str, bytes]]:
    """The starter's files by their path in the project."""
    for item in folder.iterdir():
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _starter(item, f"{at}{item.name}/")
        else:
            # Under its real name it would hold for our own repository.
            name = ".gitignore" if item.name == "gitignore" else item.name
            yield f"{at}{name}", item.read_bytes()
