from __future__ import annotations

import hashlib
import hmac

import pytest

from interlock.webhooks.signing import is_signed, sign

BODY = b'{"id":"notice_1"}'


def test_the_signature_is_what_the_page_says() -> None:
    expected = hmac.new(b"secret", b'1700000000.{"id":"notice_1"}', hashlib.sha256).hexdigest()
    assert sign("secret", 1_700_000_000, BODY) == f"v1={expected}"


@pytest.mark.parametrize(
    ("secret", "timestamp", "body", "now"),
    [
        ("other", 1000, BODY, 1000),
        ("secret", 1001, BODY, 1001),
        ("secret", 1000, BODY + b" ", 1000),
        ("secret", 1000, BODY, 1301),
        ("secret", 1000, BODY, 699),
    ],
)
def test_what_is_not_genuine_or_not_fresh_is_refused(
    secret: str, timestamp: int, body: bytes, now: int
) -> None:
    signature = sign("secret", 1000, BODY)
    assert is_signed("secret", 1000, BODY, signature, now=1300)
    assert not is_signed(secret, timestamp, body, signature, now=now)
    assert not is_signed("secret", 1000, BODY, "v1=ü", now=1000)
