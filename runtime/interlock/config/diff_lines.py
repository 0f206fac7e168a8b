"""Changes in lines that an operator understands, for terminals and logs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from interlock.config.diff import Change

__all__ = ["describe", "excerpt", "summary"]

_LONG = 80
_MOST = 160
_MOST_LINES = 12


def describe(change: Change) -> str:
    """One line: `support: limits.maxTokens 50000 → 80000 (widening: worst case ...)`."""
    remarks = _remarks(change)
    return f"{_label(change)}: {_what(change)}" + (f" ({remarks})" if remarks else "")


def excerpt(change: Change) -> list[str]:
    """Where a long text differs: lines that begin with `-`, `+` or a space.

    Empty where the line of `describe` is enough.
    """
    if not _is_long(change):
        return []
    old, new = (change.before or "").splitlines(), (change.after or "").splitlines()
    lines = list(difflib.unified_diff(old, new, n=1, lineterm=""))[3:]
    if not lines:
        return ["... only the ends of lines differ"]
    shown = ["..." if line.startswith("@@") else line for line in lines[:_MOST_LINES]]
    more = len(lines) - len(shown)
    return [*shown, f"... {more} more lines"] if more else shown


def summary(changes: Sequence[Change]) -> list[str]:
    """How many changes there are, and what needs a restart: one or two lines."""
    widenings = sum(change.widening for change in changes)
    total = f"{len(changes)} change{'s' if len(changes) != 1 else ''}" if changes else "no changes"
    parts = [f"{total}, {widenings} of them widening" if widenings else total]
    restart = [change.path for change in changes if change.restart_needed]
    if restart:
        parts.append(f"restart needed: {', '.join(restart)}")
    return parts


def _label(change: Change) -> str:
    # An agent goes by its name alone, unless that is our word for something else.
    name = change.subject.removeprefix("agent ")
    return change.subject if name == "service" else name


def _what(change: Change) -> str:
    if _is_long(change):
        return f"{change.path} {change.kind}"
    if change.kind == "changed":
        if change.before == change.after:
            return f"{change.path} changed, which is not shown"
        return f"{change.path} {change.before} → {change.after}".lstrip()
    text = change.before if change.kind == "removed" else change.after
    said = f"{change.path} {change.kind}".lstrip()
    if text is None or _is_named(change, text):
        return said
    return f"{said}: {text if len(text) <= _MOST else text[: _MOST - 1] + '…'}"


def _is_named(change: Change, text: str) -> bool:
    """Whether the path says it all already: an agent, a tool, or a word in a list."""
    if not change.path:
        return change.subject.startswith(("agent ", "tool "))
    return change.path.endswith(f"[{text}]")


def _is_long(change: Change) -> bool:
    texts = [text for text in (change.before, change.after) if text is not None]
    if change.kind == "changed":
        return any("\n" in text or len(text) > _LONG for text in texts)
    return bool(change.path) and any("\n" in text for text in texts)


def _remarks(change: Change) -> str:
    remarks = [f"widening: {change.note}" if change.widening else change.note]
    if change.restart_needed:
        remarks.append("restart needed")
    return "; ".join(remark for remark in remarks if remark)
