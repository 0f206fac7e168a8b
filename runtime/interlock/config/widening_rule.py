"""What a rule on widening is made of, and which parts it is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from interlock.config.comparison import Comparison
from interlock.config.difference import Difference, SubjectKind

__all__ = ["Rule", "matches"]

_SEGMENT = re.compile(r"\[[^\]]*\]|[^.\[]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of change that widens."""

    subject: SubjectKind
    path: str
    """`*` is any one key, `[*]` any part of a list, `**` all that follows, or nothing."""
    when: str
    """In words, what `test` asks."""
    test: Callable[[Difference, Comparison], bool]
    reason: str
    """What the change makes possible, for the operator."""


def matches(pattern: str, path: tuple[str, ...]) -> bool:
    """Whether a rule's path stands for this one."""
    parts: list[str] = _SEGMENT.findall(pattern)
    if parts[-1:] == ["**"]:
        parts.pop()
        path = path[: len(parts)]
    return len(parts) == len(path) and all(
        part in (segment, "*") or (part == "[*]" and segment.startswith("["))
        for part, segment in zip(parts, path, strict=True)
    )
