"""Ids that sort by the time they were made."""

from __future__ import annotations

import secrets
import time

__all__ = ["new_id"]


def new_id(prefix: str) -> str:
    """A unique id such as `turn_0193a5c2f1e04b...`: milliseconds since 1970, then 64 random bits."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"
