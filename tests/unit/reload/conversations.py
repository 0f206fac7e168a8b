"""Conversations, as the store gives them to the runtime."""

from __future__ import annotations

from datetime import UTC, datetime

from interlock.model.turn import Spent
from interlock.store.records import Conversation


def conversation(
    id: str = "conv_1", *, agent: str = "support", created_at: datetime | None = None
) -> Conversation:
    at = created_at or datetime.now(UTC)
    return Conversation(id, agent, None, {}, at, at, Spent(), 0)
