"""API keys: making them, and knowing them again by their hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from interlock.model.settings import ApiKey

__all__ = ["is_known", "new_key"]


def new_key() -> tuple[str, str]:
    """A new random key, and its SHA-256 for `auth.keys` in hexadecimal digits."""
    key = f"ilk_{secrets.token_urlsafe(32)}"
    return key, _digest(key)


def is_known(key: str, keys: Iterable[ApiKey]) -> bool:
    """Whether `key` is one of the keys, in a time that says nothing about which or how nearly."""
    digest = _digest(key)
    found = False
    for known in keys:
        found |= hmac.compare_digest(digest, known.sha256)
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
