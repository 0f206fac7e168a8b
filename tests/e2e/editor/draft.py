"""Files that somebody is just writing in the editor, with the cursor where they are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path

__all__ = ["CURSOR", "ROOT", "Draft", "draft"]

ROOT = Path(__file__).parents[3]
CURSOR = "‸"
_NUMBERS = count(1)
_PLACES = {
    "agent": ("agents.d", "../schemas/agent.json"),
    "tool": ("tools.d", "../schemas/tool.json"),
    "interlock": (".", "schemas/interlock.json"),
}


@dataclass(frozen=True)
class Draft:
    """A text, the path under which it would be saved, and a place in it."""

    path: Path
    text: str
    at: tuple[int, int]
    """Line and character, both from 0; the end of the text without a cursor."""


def draft(kind: str, marked: str, root: Path = ROOT) -> Draft:
    """A new file of a `kind` (agent, tool, interlock), with its schema line in front."""
    folder, schema = _PLACES[kind]
    whole = f"# yaml-language-server: $schema={schema}\n{marked}"
    before, _, after = whole.partition(CURSOR)
    *lines, last = before.split("\n")
    path = root / folder / f"draft-{next(_NUMBERS)}.yaml"
    return Draft(path, before + after, (len(lines), len(last)))
