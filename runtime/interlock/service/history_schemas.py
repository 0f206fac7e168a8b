"""What the API gives and takes about earlier configurations, as pydantic models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from interlock.service.config_schemas import Change
from interlock.service.schemas import Schema

__all__ = ["ActivationView", "Difference", "HistoryPage", "NewRollback"]


class ActivationView(Schema):
    """A configuration became the one that new turns run on."""

    id: str = Field(examples=["act_0193a5c2f1e04b2f8c1d0e9a7b6c5d4e"])
    digest: str
    previous: str | None
    """Digest of what was active before; null for the first one of a process."""
    at: datetime
    trigger: str = Field(examples=["rollback"])
    """What it came from: `start`, `resume`, `watch`, `signal`, `api`, `rollback`."""
    who: str | None
    """The API key of whoever asked for it."""
    why: str | None


class HistoryPage(Schema):
    """Some activations, newest first."""

    active: str
    """Digest of the active configuration."""
    activations: list[ActivationView]
    next: str | None
    """Give it as `before` to get the next page; null on the last one."""


class Difference(Schema):
    """What differs in meaning between two configurations."""

    from_: str = Field(alias="from")
    """Digest of the one."""
    to: str
    """Digest of the other."""
    changes: list[Change]
    """The subjects with a widening first."""


class NewRollback(Schema):
    """What asks for an earlier configuration."""

    to: str = Field(examples=["previous", "3f2a91c0d1e2"])
    """At least 8 digits of its digest, or `previous`."""
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    """Kept in the history."""
