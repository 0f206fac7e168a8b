"""How people are brought in, as declared under `people` in interlock.yaml."""

from __future__ import annotations

from interlock.model.base import Document
from interlock.model.webhook import Webhook

__all__ = ["People"]


class People(Document):
    """How people are brought in: who is told, and whether anybody is there at all."""

    webhook: Webhook | None = None
    """Who is told of new escalations, overdue ones and waiting approvals; nobody if left out."""
    unattended: bool = False
    """True where nobody decides on approvals: each is denied at once, and the model is told."""
