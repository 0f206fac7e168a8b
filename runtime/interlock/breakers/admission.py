"""How many new conversations are admitted while something is wrong, and which ones."""

from __future__ import annotations

import hashlib

__all__ = ["AdmissionShare", "is_admitted"]


def is_admitted(conversation_id: str, share: float) -> bool:
    """Whether a conversation is among the admitted share, the same answer every time.

    Whoever is admitted at one share is admitted at every higher one.
    """
    digest = hashlib.sha256(conversation_id.encode(errors="replace")).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


class AdmissionShare:
    """The share of new conversations that are admitted: halved at once, recovered in steps."""

    def __init__(self, share: float = 1.0, changed_at: float = 0.0) -> None:
        self.share = share
        self.changed_at = changed_at
        """When it last changed, in seconds since the epoch."""

    def halve(self, now: float, *, floor: float) -> None:
        """Half as many, but never less than `floor`."""
        self.share = max(self.share / 2, min(floor, self.share))
        self.changed_at = now

    def recover(self, now: float, *, step: float, every: float) -> None:
        """One step more for each `every` seconds that have passed, up to all."""
        steps = int((now - self.changed_at) // every)
        if steps > 0 and self.share < 1.0:
            # Rounded, so that many small steps end exactly at 1.
            self.share = min(1.0, round(self.share + steps * step, 9))
            self.changed_at += steps * every

    def restore(self, now: float) -> None:
        """All at once."""
        self.share, self.changed_at = 1.0, now
