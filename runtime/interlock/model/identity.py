"""Who may use the API, as declared by `interlock.yaml`: keys, session tokens, customers' shares."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from interlock.model.base import Document, Duration, Name, SecretRef

__all__ = ["Algorithm", "ApiKey", "Auth", "Customers", "Role", "SessionKey", "Sessions"]

Role = Literal["chat", "operator", "admin"]
"""What a key may do; each role may do all that the ones before it may."""

Algorithm = Literal["HS256", "RS256", "ES256", "EdDSA"]
"""How session tokens are signed."""


class ApiKey(Document):
    """A key that may use the API. Only its hash is kept."""

    name: Name = Field(examples=["web-shop"])
    """Who uses the key; logs and metrics show it. Conversations of a chat key belong to it."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """As printed by `interlock key`."""
    role: Role | None = None
    """`chat` talks for customers, `operator` sees and steers everything that runs, `admin` also
    changes the configuration. A key without a role is an admin, as it was before there were
    roles; `interlock check` warns of it."""


def _check_leeway(value: timedelta) -> timedelta:
    if value > timedelta(minutes=5):
        raise PydanticCustomError("duration", "must be 5m at most")
    return value


class SessionKey(Document):
    """One of the keys that session tokens may be signed with."""

    kid: str | None = Field(default=None, min_length=1, max_length=200, examples=["2026-11"])
    """The `kid` in the header of the tokens that this key verifies; any if left out."""
    key: SecretRef
    """The secret of HS256, at least 32 bytes, or the public key as PEM."""


class Sessions(Document):
    """Signed claims about the customer: a JWT that the front end gets from whoever logged them
    in."""

    algorithm: Algorithm = Field(examples=["HS256"])
    """The only algorithm that is accepted, whatever a token says of itself."""
    key: SecretRef | None = None
    """The secret of HS256, at least 32 bytes, or the public key as PEM."""
    keys: Annotated[tuple[SessionKey, ...], Field(max_length=10)] = ()
    """Several keys instead of one, so that a key can be replaced while tokens of it are about."""
    issuer: str | None = Field(default=None, min_length=1, examples=["https://shop.example"])
    """What `iss` must be; anything if left out."""
    audience: str | None = Field(default=None, min_length=1, examples=["interlock"])
    """What `aud` must hold; if left out, a token that is meant for anybody by name is refused."""
    customer_claim: str = Field(default="sub", min_length=1, examples=["sub"])
    """The claim that says who the customer is."""
    leeway: Annotated[Duration, AfterValidator(_check_leeway)] = timedelta(seconds=30)
    """How far the clocks may be apart when a token expires; 5m at most."""
    required: bool = True
    """Whether chat keys need a token for every conversation. Otherwise they may also hold
    conversations with nobody in particular."""

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        if (self.key is None) == (not self.keys):
            raise PydanticCustomError("session_keys", "needs either 'key' or 'keys'")
        return self

    @property
    def all_keys(self) -> tuple[SessionKey, ...]:
        """The keys, in their order, however they were written."""
        return self.keys if self.key is None else (SessionKey(key=self.key),)


class Auth(Document):
    """Who may use the API. Without any key the service listens on loopback only."""

    keys: tuple[ApiKey, ...] = ()
    """The keys that are accepted, beside those that `interlock keys create` makes."""
    sessions: Sessions | None = None
    """How customers prove who they are; without it, whoever has a key is believed."""


class Customers(Document):
    """How much of the service one customer may take. What is left out is not limited."""

    messages_per_minute: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, examples=[20]
    )
    """Messages in any 60 seconds."""
    open_turns: Annotated[int, Field(ge=1, le=1000)] | None = Field(default=None, examples=[3])
    """Turns that run or wait at once."""
    conversations_per_hour: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, examples=[10]
    )
    """New conversations in any 60 minutes."""
