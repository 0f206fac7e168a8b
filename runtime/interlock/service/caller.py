"""Who a request comes from, and which conversations they may use."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.model.base import JsonObject
from interlock.model.identity import Role
from interlock.store.records import Conversation

__all__ = ["ANYONE", "Caller", "Claims", "may_use"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified session token says."""

    customer: str
    session: JsonObject
    """All claims about the customer, with `customerId`; those about the token are left out."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request came with."""

    name: str | None
    """None if the service asks for no key."""
    role: Role


ANYONE = Caller(None, "admin")
"""Whoever uses a service that asks for no key, which only this machine can reach."""


def may_use(
    conversation: Conversation, caller: Caller, claims: Claims | None, *, signed: bool
) -> bool:
    """Whether a caller may read a conversation and write to it.

    `claims` are those of the session token that came with the request, `signed` tells whether
    the configuration has session tokens: then a customer's conversations need one.
    """
    if claims is not None:
        return conversation.customer_id == claims.customer
    if caller.role != "chat":
        return True
    mine = conversation.api_key is not None and conversation.api_key == caller.name
    return mine and not (signed and conversation.customer_id is not None)
