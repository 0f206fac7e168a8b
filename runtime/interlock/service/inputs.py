"""What the API takes, as pydantic models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from interlock.service.schemas import Schema

__all__ = ["CustomerId", "NewConversation", "NewMessage", "refuse_nul"]

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


class NewConversation(Schema):
    """What opens a conversation."""

    agent: Annotated[str, Field(min_length=1, max_length=64, examples=["support"])]
    """The agent that answers; `GET /v1/agents` lists them."""
    customer_id: CustomerId | None = Field(default=None, examples=["C-1042"])
    """Who the customer is. The caller has authenticated them; tools may rely on it."""
    session: Annotated[dict[str, JsonValue], AfterValidator(_check_session)] = Field(
        default={}, examples=[{"plan": "gold"}]
    )
    """Further claims about the customer, at most 16 KB. Tools read them as `session`; the model
    does not see them."""

    @model_validator(mode="after")
    def _agree_on_customer(self) -> NewConversation:
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
