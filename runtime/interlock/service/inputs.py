"""What the API takes, as pydantic models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from interlock.service.schemas import Schema

__all__ = ["CustomerId", "NewConversation", "NewMessage", "SessionClaims", "refuse_nul"]

_MOST_SESSION_BYTES = 16_384


def refuse_nul(text: str) -> str:
    """The text. Raises what makes a field invalid if a database could not keep it."""
    # PostgreSQL cannot keep it, and no person types it.
    if "\0" in text:
        raise PydanticCustomError("nul", "must not contain NUL characters")
    return text


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


def _check_session(session: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        size = len(json.dumps(session, allow_nan=False, ensure_ascii=False).encode())
    except ValueError as error:
        raise PydanticCustomError("not_finite", "must not hold NaN or infinite numbers") from error
    if size > _MOST_SESSION_BYTES:
        raise PydanticCustomError(
            "session_size",
            "must not be larger than {most} bytes as JSON",
            {"most": _MOST_SESSION_BYTES},
        )
    for text in _strings(session):
        refuse_nul(text)
    return session


CustomerId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(refuse_nul),
]
"""Who the customer is, in the caller's terms."""


Session = Annotated[dict[str, JsonValue], AfterValidator(_check_session)]
"""Claims about a customer, at most 16 KB."""

SessionToken = Annotated[str, Field(min_length=1, max_length=8192, examples=["eyJhbGciOi..."])]
"""A signed session token, where the configuration has `auth.sessions`."""


_CLAIMS: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(Session)
_TOKEN: TypeAdapter[str] = TypeAdapter(SessionToken)


def _claims_or_token(value: object, _: object) -> dict[str, JsonValue] | str:
    # By hand, because a union would tell of both what is wrong with it.
    if isinstance(value, str):
        return _TOKEN.validate_python(value)
    return _CLAIMS.validate_python(value)


class SessionClaims(Schema):
    """What a session token says of its customer, in the form that conversations keep."""

    customer: CustomerId
    """Who the customer is."""
    session: Session
    """All claims."""


class NewConversation(Schema):
    """What opens a conversation."""

    agent: Annotated[str, Field(min_length=1, max_length=64, examples=["support"])]
    """The agent that answers; `GET /v1/agents` lists them."""
    customer_id: CustomerId | None = Field(default=None, examples=["C-1042"])
    """Who the customer is. The caller has authenticated them; tools may rely on it."""
    session: Annotated[Session | SessionToken, WrapValidator(_claims_or_token)] = Field(
        default={}, examples=[{"plan": "gold"}]
    )
    """Further claims about the customer, at most 16 KB, or a signed session token that says all
    there is to say. Tools read the claims as `session`; the model does not see them."""

    @property
    def token(self) -> str | None:
        """The session token, if it is one."""
        return self.session if isinstance(self.session, str) else None

    @property
    def claims(self) -> dict[str, JsonValue]:
        """The unsigned claims."""
        return {} if isinstance(self.session, str) else self.session

    @model_validator(mode="after")
    def _agree_on_customer(self) -> NewConversation:
        if isinstance(self.session, str):
            return self
        claimed = self.session.get("customerId", self.customer_id)
        if self.customer_id is not None and claimed != self.customer_id:
            raise PydanticCustomError(
                "customer_mismatch", "customerId and session.customerId name different customers"
            )
        return self


class NewMessage(Schema):
    """A customer's message."""

    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
        AfterValidator(refuse_nul),
        Field(examples=["Where is my order ORD-1001?"]),
    ]
    """What the customer wrote, 1 to 20000 characters; white space around it is dropped."""
    session: SessionToken | None = None
    """The session token, if the header `X-Interlock-Session` does not have it."""
