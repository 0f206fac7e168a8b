"""Signatures of webhooks: HMAC-SHA256 over the time and the body."""

from __future__ import annotations

import hashlib
import hmac

__all__ = ["SIGNATURE_HEADER", "TIMESTAMP_HEADER", "is_signed", "sign"]

TIMESTAMP_HEADER = "X-Interlock-Timestamp"
"""Seconds since 1970 at which the request was signed."""
SIGNATURE_HEADER = "X-Interlock-Signature"
"""`v1=` and the signature in hexadecimal digits."""


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The value of the signature header: HMAC-SHA256 of `TIMESTAMP.BODY`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def is_signed(
    secret: str, timestamp: int, body: bytes, signature: str, *, now: int, tolerance: int = 300
) -> bool:
    """Whether a request is from who knows the secret, and at most `tolerance` seconds old."""
    genuine = hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode())
    return genuine and abs(now - timestamp) <= tolerance
