"""Session tokens: what a good one says, and every way to forge one that is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from jwt.algorithms import has_crypto

from interlock.model.base import SecretRef
from interlock.model.identity import SessionKey, Sessions
from interlock.reload.session_keys import PreparedKey, prepare_key
from interlock.service.session_tokens import InvalidToken, verify_token
from tests.unit.service.session_samples import PUBLIC_KEYS, TOKENS, WEAK_KEY

SECRET = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
REF = SecretRef(env="SESSION_KEY")


def sessions(**changes: Any) -> Sessions:
    return Sessions(**{"algorithm": "HS256", "key": REF, **changes})


STRICT = sessions(issuer="https://shop.example", audience="interlock")
KEYS = (PreparedKey(None, prepare_key("HS256", SECRET)),)
GOOD: dict[str, Any] = {"sub": "CUST-1001", "iss": "https://shop.example", "aud": "interlock"}


def token(key: str = SECRET, *, kid: str | None = None, **changes: Any) -> str:
    claims = {**GOOD, "exp": int(time.time()) + 7200, **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm="HS256", headers={"kid": kid} if kid else None)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forged(header: Any, key: str = SECRET, **changes: Any) -> str:
    body = part({**GOOD, "exp": int(time.time()) + 7200, **changes})
    text = header if isinstance(header, str) else part(header)
    digest = hmac.new(key.encode(), f"{text}.{body}".encode(), hashlib.sha256).digest()
    return f"{text}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def test_a_good_token_says_who_the_customer_is_and_what_else_is_known() -> None:
    claims = verify_token(token(plan="gold", jti="1", customerId="CUST-9"), STRICT, KEYS)
    assert claims.customer == "CUST-1001"
    assert claims.session == {"sub": "CUST-1001", "plan": "gold", "customerId": "CUST-1001"}


def test_a_forgery_of_the_right_key_would_be_taken() -> None:
    assert verify_token(forged({"alg": "HS256"}), STRICT, KEYS).customer == "CUST-1001"


DEEP = base64.urlsafe_b64encode(b"[" * 5000).decode()
WHOLE = token()
ATTACKS: dict[str, str] = {
    "empty": "",
    "no token": "hello",
    "two parts": ".".join(WHOLE.split(".")[:2]),
    "no signature": ".".join(WHOLE.split(".")[:2]) + ".",
    "changed signature": WHOLE[:-4] + ("AAAA" if WHOLE[-4:] != "AAAA" else "BBBB"),
    "changed claims": ".".join(
        [WHOLE.split(".")[0], part({**GOOD, "sub": "CUST-2", "exp": 9e9}), WHOLE.split(".")[2]]
    ),
    "another key": token(OTHER),
    "alg none": jwt.encode({**GOOD, "exp": 4102444800}, None, algorithm="none"),
    "alg none in other letters": forged({"alg": "nOnE"}),
    "none without a signature": f"{part({'alg': 'none'})}.{part({**GOOD, 'exp': 9999999999})}.",
    "another hash": jwt.encode({**GOOD, "exp": 4102444800}, SECRET * 2, algorithm="HS512"),
    "an algorithm that it is not": forged({"alg": "RS256"}),
    "no algorithm": forged({"typ": "JWT"}),
    "a list of algorithms": forged({"alg": ["HS256"]}),
    "a header that is a list": forged([1]),
    "a header without end": forged(DEEP),
    "a key of its own": forged(
        {"alg": "HS256", "jwk": {"kty": "oct", "k": part(OTHER)}, "jku": "http://x"}, OTHER
    ),
    "a kid that is a path": forged({"alg": "HS256", "kid": "../../dev/null"}, ""),
    "a kid that is no text": forged({"alg": "HS256", "kid": {"a": 1}}),
    "a critical extension": forged({"alg": "HS256", "crit": ["x"], "x": 1}),
    "expired": token(exp=int(time.time()) - 31),
    "without an expiry": token(exp=None),
    "an expiry that is no time": token(exp="soon"),
    "an expiry without end": token(exp=float("inf")),
    "not yet": token(nbf=int(time.time()) + 86_400),
    "issued tomorrow": token(iat=int(time.time()) + 86_400),
    "of another issuer": token(iss="https://shop.example.evil"),
    "of a part of the issuer": token(iss="https://shop"),
    "of no issuer": token(iss=None),
    "for another audience": token(aud="interlock-test"),
    "for others": token(aud=["a", "b"]),
    "for nobody": token(aud=None),
    "without a customer": token(sub=None),
    "an empty customer": token(sub="  "),
    "a customer with a NUL": token(sub="a\0b"),
    "a customer that is too long": token(sub="a" * 201),
    "too large": token(more="x" * 9000),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_that_is_not_good_is_refused(attack: str) -> None:
    with pytest.raises(InvalidToken):
        verify_token(ATTACKS[attack], STRICT, KEYS)


def test_a_customer_may_be_a_number_but_nothing_else() -> None:
    by_number = sessions(audience="interlock", customer_claim="user")
    assert verify_token(token(user=42), by_number, KEYS).session["customerId"] == "42"
    for user in (True, ["a"], {"a": 1}, 1.5):
        with pytest.raises(InvalidToken):
            verify_token(token(user=user), by_number, KEYS)


def test_an_audience_that_nobody_declared_is_refused() -> None:
    with pytest.raises(InvalidToken):
        verify_token(token(), sessions(), KEYS)
    assert verify_token(token(aud=None), sessions(), KEYS).customer == "CUST-1001"


def test_the_clocks_may_be_a_little_apart() -> None:
    assert verify_token(token(exp=int(time.time()) - 10), STRICT, KEYS).customer == "CUST-1001"


def test_while_a_key_is_replaced_both_are_good_each_for_its_kid() -> None:
    old, new = PreparedKey("old", SECRET.encode()), PreparedKey("new", OTHER.encode())
    for made in (token(SECRET, kid="old"), token(OTHER, kid="new"), token(OTHER), token(SECRET)):
        assert verify_token(made, STRICT, (new, old)).customer == "CUST-1001"
    for made in (token(SECRET, kid="new"), token(OTHER, kid="gone")):
        with pytest.raises(InvalidToken):
            verify_token(made, STRICT, (new, old))
    any_kid = PreparedKey(None, SECRET.encode())
    assert verify_token(token(SECRET, kid="x"), STRICT, (new, any_kid)).customer == "CUST-1001"


@pytest.mark.parametrize("algorithm", PUBLIC_KEYS)
def test_a_public_key_verifies_and_never_counts_as_a_secret(algorithm: Any) -> None:
    declared = STRICT.model_copy(update={"algorithm": algorithm})
    if not has_crypto:
        with pytest.raises(ValueError, match="needs the Python package cryptography"):
            prepare_key(algorithm, PUBLIC_KEYS[algorithm])
        return
    keys = (PreparedKey(None, prepare_key(algorithm, PUBLIC_KEYS[algorithm])),)
    claims = verify_token(TOKENS[algorithm], declared, keys)
    assert claims.session == {"sub": "CUST-1001", "plan": "gold", "customerId": "CUST-1001"}
    # The oldest trick: an HMAC whose secret is the public key, which everyone has.
    tricks = [forged({"alg": name}, PUBLIC_KEYS[algorithm]) for name in ("HS256", algorithm)]
    others = [made for name, made in TOKENS.items() if name != algorithm]
    for trick in (*tricks, *others, TOKENS[algorithm][:-8] + "AAAAAAAA", WHOLE):
        with pytest.raises(InvalidToken):
            verify_token(trick, declared, keys)


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("HS256", "x" * 31),
        ("HS256", PUBLIC_KEYS["RS256"]),
        ("RS256", PUBLIC_KEYS["ES256"]),
        ("RS256", WEAK_KEY),
        ("RS256", SECRET),
        ("ES256", PUBLIC_KEYS["EdDSA"]),
        ("ES256", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
        ("EdDSA", PUBLIC_KEYS["RS256"]),
    ],
)
def test_a_key_of_another_kind_or_too_weak_is_no_key(algorithm: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        prepare_key(algorithm, text)
    assert text[:20] not in str(refused.value)


def test_a_key_is_not_shown() -> None:
    assert SECRET not in repr(KEYS[0])


def test_one_key_or_several_but_not_both() -> None:
    assert sessions().all_keys == (SessionKey(key=REF),)
    for wrong in ({"key": None}, {"keys": (SessionKey(key=REF),)}):
        with pytest.raises(ValueError, match="either 'key' or 'keys'"):
            sessions(**wrong)
