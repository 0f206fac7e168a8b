"""How the active configuration stands to the files of the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from interlock.config.source import Source
from interlock.reload.outcome import Rejection

__all__ = ["PASSING", "Standing"]

PASSING = frozenset({"unreadable", "store"})
"""Reasons that may go away without a change of the files, so that it is worth trying again."""


@dataclass(slots=True)
class Standing:
    """Whether the files are what is active, and if not, why."""

    known: str | None
    """The fingerprint of the files if they have been decided about for good."""
    rejected: Rejection | None = None
    """What the files hold, if it cannot be applied."""
    stale_since: datetime | None = None
    """Since when the files could not be applied."""
    resumed: datetime | None = None
    """When the active configuration was kept, if it is the last good one of an earlier run."""
    rolled_back: str | None = None
    """Digest of the files, if they were passed over for an earlier configuration."""

    def take(self, source: Source) -> None:
        """The files are what is active."""
        self.known = source.fingerprint
        self.rejected = self.stale_since = self.resumed = self.rolled_back = None

    def pass_over(self, source: Source, active: str) -> None:
        """The files are left alone until they change; `active` is the digest of what is active."""
        self.known = source.fingerprint
        self.resumed = None
        self.rolled_back = source.digest if source.digest != active else None

    def refuse(self, source: Source, rejection: Rejection) -> bool:
        """The files cannot be applied. Whether this is news."""
        # What may pass is decided about anew, also if the files become what they were before.
        self.known = None if rejection.reason in PASSING else source.fingerprint
        before = self.rejected
        if (
            rejection.trigger == "watch"
            and before is not None
            and (before.reason, before.findings) == (rejection.reason, rejection.findings)
        ):
            # It failed in the same way when it was tried before, but may be another content by now.
            self.rejected = replace(before, digest=rejection.digest)
            return False
        self.rejected = rejection
        self.stale_since = self.stale_since or rejection.at
        return True
