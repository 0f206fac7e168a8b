"""API keys: making them, and knowing them again by their hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from interlock.model.settings import ApiKey

__all__ = ["new_key", "owner_of"]


def new_key() -> tuple[str, str]:
    """A new random key, and its SHA-256 for `auth.keys` in hexadecimal digits."""
    key = f"ilk_{secrets.token_urlsafe(32)}"
    return key, _digest(key)


def owner_of(key: str, keys: Iterable[ApiKey]) -> str | None:
    """The name under which `key` is one of the keys; None if it is not.

    The time it takes says nothing about which key it is, or how nearly.
    """
    digest = _digest(key)
    owner = None
    for known in keys:
        if hmac.compare_digest(digest, known.sha256):
            owner = known.name
    return owner


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
