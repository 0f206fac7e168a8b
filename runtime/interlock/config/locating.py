"""The place of a word inside a text of a YAML file, as exactly as the file allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from interlock.config.yaml import YamlDocument
from interlock.diagnostics import Location

__all__ = ["locate", "locate_in_file"]


def locate(
    document: YamlDocument, location: tuple[str | int, ...], *, line: int = 0, word: str = ""
) -> Location:
    """Where `word` stands in the text at `location`, or else where its line or the text begins.

    `line` counts from 1 inside a text that has lines; 0 is the whole of it.
    """
    place = document.place(location)
    start = place.value
    at = Location(start.path, start.line + line) if line and place.block else start
    if not word:
        return at
    # A folded text has fewer lines than its source; then the word says where it is.
    others = range(start.line, max(place.last_line, start.line) + 1)
    for number in dict.fromkeys((at.line, *others)):
        skip = start.column - 1 if number == start.line else 0
        column = _column(document.lines, number, skip, word)
        if column is not None:
            return Location(start.path, number, column)
    return at


def locate_in_file(path: str, text: str, *, line: int, word: str = "") -> Location:
    """Where `word` stands on a line of a file that is nothing but the text."""
    column = _column(text.splitlines(), line, 0, word) if word else None
    return Location(path, line, column or 1)


def _column(lines: Sequence[str], number: int, skip: int, word: str) -> int | None:
    if number > len(lines):
        return None
    line = lines[number - 1]
    whole = [
        match.start()
        for match in re.finditer(rf"(?<![\w.]){re.escape(word)}(?!\w)", line)
        if match.start() >= skip
    ]
    if not whole:
        return None
    # The same word may also stand beside the template's expressions, in plain text.
    return next(iter([*_inside_braces(line, whole), *whole])) + 1


def _inside_braces(line: str, starts: Iterable[int]) -> list[int]:
    spans = [match.span() for match in re.finditer(r"\{[{%].*?[%}]\}", line)]
    return [start for start in starts if any(first <= start < last for first, last in spans)]
