"""API keys: making them, and knowing them again by their hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Protocol, TypeVar

__all__ = ["Hashed", "key_of", "new_key"]


class Hashed(Protocol):
    """A key of which only the hash is known."""

    @property
    def sha256(self) -> str:
        """In hexadecimal digits."""
        ...


K = TypeVar("K", bound=Hashed)


def new_key() -> tuple[str, str]:
    """A new random key, and its SHA-256 in hexadecimal digits."""
    key = f"ilk_{secrets.token_urlsafe(32)}"
    return key, _digest(key)


def key_of(key: str, known: Iterable[K]) -> K | None:
    """The one of the known keys that `key` is; None if it is none.

    The time it takes says nothing about which key it is, or how nearly.
    """
    digest = _digest(key)
    found = None
    for each in known:
        if hmac.compare_digest(digest, each.sha256):
            found = each
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
