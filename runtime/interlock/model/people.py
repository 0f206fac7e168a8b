"""How people are brought in, as declared under `people` in interlock.yaml."""

from __future__ import annotations

from pydantic import Field

from interlock.model.base import Document, SecretRef, ValueOrEnv

__all__ = ["People", "PeopleWebhook"]


class PeopleWebhook(Document):
    """Who is told that a person is needed."""

    url: ValueOrEnv = Field(examples=["https://chat.example.com/hooks/interlock"])
    """Where each notice is sent by POST."""
    secret: SecretRef
    """What notices are signed with, so that the receiver knows whose they are."""


class People(Document):
    """How people are brought in: who is told, and whether anybody is there at all."""

    webhook: PeopleWebhook | None = None
    """Who is told of new escalations, overdue ones and waiting approvals; nobody if left out."""
    unattended: bool = False
    """True where nobody decides on approvals: each is denied at once, and the model is told."""
