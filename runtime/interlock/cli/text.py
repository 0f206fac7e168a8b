"""Texts as terminals show them: on one line, in bounds, and without power over the terminal."""

from __future__ import annotations

import re

__all__ = ["plural", "printable", "short"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """The text without control characters: customers and tools must not command a terminal."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))


def short(text: str, most: int) -> str:
    """The text on one line, printable, and cut to `most` characters."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def plural(number: int, noun: str) -> str:
    """The number with its noun: `1 agent`, `2 agents`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
