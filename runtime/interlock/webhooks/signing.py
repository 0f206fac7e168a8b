"""The signature of a webhook, by which its receiver knows that it comes from this service."""

from __future__ import annotations

import hashlib
import hmac

__all__ = ["SIGNATURE_HEADER", "TIMESTAMP_HEADER", "sign"]

TIMESTAMP_HEADER = "X-Interlock-Timestamp"
"""Seconds since 1970 at which the request was signed."""
SIGNATURE_HEADER = "X-Interlock-Signature"
"""`v1=` and the signature in hexadecimal digits."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature header: HMAC-SHA256 of the timestamp, a dot, and the body."""
    message = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
