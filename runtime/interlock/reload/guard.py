"""What a change of the files may not do by accident."""

from __future__ import annotations

from collections.abc import Collection

from interlock.config.source import Source
from interlock.diagnostics import Diagnostic, Location

__all__ = ["refuse_emptiness", "refuse_removals"]

_HINT = "if this is meant, apply it with: interlock reload --allow-removals"
_MOST_NAMES = 5


def refuse_emptiness(source: Source) -> Diagnostic | None:
    """A finding if there is no file at all, as when a volume is not mounted."""
    if source.files or source.found:
        return None
    message = "the project's folder is empty or gone"
    hint = "restore the files; the service goes on with the ones that it has"
    return Diagnostic("ILK-R003", message, Location("./"), hint)


def refuse_removals(
    before: Collection[str], after: Collection[str], *, most: float
) -> Diagnostic | None:
    """A finding if more than the share `most` of the agents `before` is not in `after`."""
    removed = sorted(set(before) - set(after))
    if len(removed) <= most * len(before):
        return None
    names = ", ".join(removed[:_MOST_NAMES])
    if len(removed) > _MOST_NAMES:
        names += f" and {len(removed) - _MOST_NAMES} more"
    message = (
        f"{len(removed)} of {len(before)} agents would be removed: {names}; "
        f"reload.maxRemoved allows {most:.0%}"
    )
    return Diagnostic("ILK-R003", message, Location("agents.d/"), _HINT)
