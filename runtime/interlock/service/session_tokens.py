"""What session tokens say, if they are good: signed, current, and meant for this service."""

from __future__ import annotations

from collections.abc import Sequence

import jwt
from pydantic import ValidationError

from interlock.model.base import JsonObject
from interlock.model.identity import Sessions
from interlock.reload.session_keys import PreparedKey
from interlock.service.caller import Claims
from interlock.service.inputs import SessionClaims

__all__ = ["InvalidToken", "verify_token"]

_MOST_CHARACTERS = 8192
_OF_THE_TOKEN = frozenset({"aud", "exp", "iat", "iss", "jti", "nbf"})
"""Claims about the token rather than the customer."""
_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""Beside PyJWT's own errors, what Python raises for JSON that is too deep, or times without end."""


class InvalidToken(Exception):
    """Why a session token is not accepted; for the log, not for whoever sent it."""


def verify_token(token: str, sessions: Sessions, keys: Sequence[PreparedKey]) -> Claims:
    """The claims of a token. Raises `InvalidToken`.

    Only `sessions.algorithm` is accepted, whatever the token's header says, and every token
    needs an expiry.
    """
    if len(token) > _MOST_CHARACTERS:
        raise InvalidToken(f"it has more than {_MOST_CHARACTERS} characters")
    claims = _decode(token, sessions, keys)
    named = claims.get(sessions.customer_claim)
    if isinstance(named, int) and not isinstance(named, bool):
        named = str(named)
    said = {name: value for name, value in claims.items() if name not in _OF_THE_TOKEN}
    try:
        checked = SessionClaims.model_validate(
            {"customer": named, "session": {**said, "customerId": named}}
        )
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        reasons = "; ".join(f"{each['loc'][0]} {each['msg']}" for each in found)
        raise InvalidToken(
            f"the claim '{sessions.customer_claim}' or another cannot be used: {reasons}"
        ) from None
    return Claims(checked.customer, {**checked.session, "customerId": checked.customer})


def _decode(token: str, sessions: Sessions, keys: Sequence[PreparedKey]) -> JsonObject:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except _MALFORMED as error:
        raise InvalidToken(str(error)) from error
    fitting = [key for key in keys if kid is None or key.kid in (None, kid)]
    failure: jwt.InvalidSignatureError | None = None
    for key in fitting:
        try:
            return jwt.decode(
                token,
                key.material,
                algorithms=[sessions.algorithm],
                audience=sessions.audience,
                issuer=sessions.issuer,
                leeway=sessions.leeway,
                options={"require": ["exp"]},
            )
        except jwt.InvalidSignatureError as error:
            failure = error
        except _MALFORMED as error:
            # The signature is checked first, so no other key would say anything else.
            raise InvalidToken(str(error)) from error
    raise InvalidToken("no key has its kid" if failure is None else str(failure))
