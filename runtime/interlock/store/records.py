"""What the store gives back: conversations, turns, activations and switches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from interlock.errors import InterlockError
from interlock.model.base import JsonObject
from interlock.model.identity import Role
from interlock.model.turn import Outcome, Spent

__all__ = [
    "Conversation",
    "HistoryEntry",
    "Spending",
    "StoredKey",
    "Switch",
    "SwitchKind",
    "Turn",
    "TurnNotFound",
]

SwitchKind = Literal["agent", "tool"]
"""What can be switched off."""


class TurnNotFound(InterlockError):
    """No turn has that id."""

    code = "turn_not_found"

    def __init__(self, turn_id: str) -> None:
        self.turn_id = turn_id
        super().__init__(f"there is no turn '{turn_id}'")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One customer's conversation with one agent."""

    id: str
    agent: str
    customer_id: str | None
    session: JsonObject
    """Claims about the customer, as given when the conversation began."""
    created_at: datetime
    updated_at: datetime
    """When a turn last began or ended."""
    spent: Spent
    """The sum of the ledger, so interrupted turns count too."""
    unpriced_calls: int
    """Model calls whose price is unknown and which `spent.cost_nano` therefore leaves out."""
    api_key: str | None = None
    """The name of the API key that it was opened with; None if the service asked for none."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: running, or ended with all that its `TurnResult` said."""

    id: str
    conversation_id: str
    sequence: int
    """Counts from 1 within the conversation."""
    state: Literal["running", "ended"]
    text: str
    """The customer's message."""
    snapshot: str
    """Digest of the configuration that the turn runs on."""
    outcome: Outcome | None
    """None while running; so are `reply`, `reason` and `ended_at`. The counts are then 0."""
    reply: str | None
    reason: str | None
    iterations: int
    model_calls: int
    tool_calls: int
    tokens: int
    cost_nano: int
    unpriced_calls: int
    escalation: JsonObject | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A configuration became the one that new turns run on."""

    id: str
    """Sorts by the time of recording."""
    digest: str
    """The snapshot, whose files are kept too."""
    previous: str | None
    """Digest of the one before it; None for the first of a process."""
    at: datetime
    trigger: str
    """What it came from, such as `start`, `watch`, `api` or `rollback`."""
    who: str | None
    """Who asked for it, as far as that is known."""
    why: str | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent for one customer in one minute."""

    minute: datetime
    """When it began."""
    customer_id: str | None
    """None also where customers were not asked for."""
    cost_nano: int


@dataclass(frozen=True, slots=True)
class Switch:
    """An agent or a tool that an operator has switched off."""

    kind: SwitchKind
    name: str
    agent: str | None
    """The only agent for which the tool is off; None if it is off for all, and for an agent."""
    since: datetime
    who: str | None
    """Who switched it off, as far as that is known."""
    why: str

    @property
    def target(self) -> tuple[SwitchKind, str, str | None]:
        """What is off; no two active switches have the same target."""
        return self.kind, self.name, self.agent


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An API key that `interlock keys create` made. Only its hash is known."""

    id: str
    name: str
    """No two keys that are not revoked have the same."""
    role: Role
    sha256: str
    """Of the key, in hexadecimal digits."""
    created_at: datetime
    created_by: str | None
    """Who made it, as far as that is known."""
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To within some minutes."""

    def is_active(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
