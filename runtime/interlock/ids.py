"""Ids that sort by the time they were made."""

from __future__ import annotations

import random
import time

__all__ = ["new_id"]


def new_id(prefix: str) -> str:
    """A unique id such as `turn_0193a5c2f1e04b...`: the milliseconds, then 64 random bits.

    An id is a name, not a secret: whoever may read what it names is checked elsewhere.
    """
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{random.getrandbits(64):016x}"
