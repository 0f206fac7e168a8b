"""The semantic difference of two configurations: what changes, what widens, what needs a restart.

Compared is what configurations mean: models with their defaults filled in, prompts as texts,
plugins as bytes. Reordered keys, comments, quotes and files are no change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from interlock.config.bounds import PriceOf
from interlock.config.comparison import Comparison
from interlock.config.diff_cost import cost_note
from interlock.config.diff_text import after_text, before_text
from interlock.config.difference import Difference, Kind, differences, path_text
from interlock.config.snapshot import Snapshot
from interlock.config.widening import widening_reason
from interlock.model.base import Document, JsonObject

__all__ = ["Change", "diff"]

_RESTART = (("server", "host"), ("server", "port"), ("store", "url"))
"""What is only read when the service starts."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same. No two changes have the same subject and path."""

    subject: str
    """`agent NAME`, `tool NAME`, `service`, or the path of a plugin's file."""
    path: str
    """The part of the subject, such as `limits.maxTokens`; empty for the subject as a whole."""
    kind: Kind
    before: str | None
    """As in YAML, without secrets; None for what is added. A text of several lines is as it is,
    an agent or a tool as a whole is its description."""
    after: str | None
    """The same; None for what is removed."""
    widening: bool
    """Whether agents, tools or strangers may do or spend more than before."""
    note: str | None
    """Why the change is a widening, or what it does to the worst case of a conversation."""
    restart_needed: bool
    """Whether a running service takes no notice of it."""

    def to_json(self) -> JsonObject:
        """The change for other programs."""
        return {
            "subject": self.subject,
            "path": self.path,
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "widening": self.widening,
            "note": self.note,
            "restartNeeded": self.restart_needed,
        }


def diff(
    before: Snapshot,
    after: Snapshot,
    price_of: PriceOf,
    *,
    guardrails: Mapping[str, type[Document]] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """All changes by subject: those with a widening first, and in each the widenings first.

    Nothing differs if and only if the two mean the same. `guardrails` has the settings of the
    guardrails that both were checked with, so that their defaults are filled in too.
    """
    comparison = Comparison(before, after, price_of)
    changes = [
        _change(difference, comparison) for difference in differences(before, after, guardrails)
    ]
    widened = {change.subject for change in changes if change.widening}
    places = {
        subject: place for place, subject in enumerate(dict.fromkeys(c.subject for c in changes))
    }
    # Sorting is stable: the rest stays in the order of the keys.
    return tuple(
        sorted(
            changes,
            key=lambda change: (
                change.subject not in widened,
                places[change.subject],
                not change.widening,
            ),
        )
    )


def _change(difference: Difference, comparison: Comparison) -> Change:
    reason = widening_reason(difference, comparison)
    return Change(
        subject=_subject(difference),
        path=path_text(difference.path),
        kind=difference.kind,
        before=before_text(difference),
        after=after_text(difference),
        widening=reason is not None,
        note=_note(difference, reason, cost_note(difference, comparison)),
        restart_needed=difference.subject == "service" and difference.path[:2] in _RESTART,
    )


def _note(difference: Difference, reason: str | None, cost: str | None) -> str | None:
    if difference.subject == "agent" and difference.path and cost is not None:
        # Of an agent's limits and models, the cost is what there is to say.
        return cost
    return "; ".join(text for text in (reason, cost) if text is not None) or None


def _subject(difference: Difference) -> str:
    match difference.subject:
        case "agent" | "tool":
            return f"{difference.subject} {difference.name}"
        case "plugin":
            return difference.name
    return difference.subject
