"""What the store gives back about people's work: escalations, approvals, feedback, messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from interlock.errors import InterlockError
from interlock.model.agent import Priority
from interlock.model.base import JsonObject
from interlock.model.turn import Role, Verdict

__all__ = [
    "Approval",
    "ApprovalNotFound",
    "ApprovalState",
    "Escalation",
    "EscalationNotFound",
    "EscalationState",
    "Feedback",
    "StoredMessage",
]

EscalationState = Literal["open", "claimed", "closed"]
"""Whether a person has it."""

ApprovalState = Literal["pending", "approved", "edited", "denied", "answered", "expired", "done"]
"""`done` once what was decided has been carried out and told."""


class EscalationNotFound(InterlockError):
    """No escalation has that id."""

    code = "escalation_not_found"

    def __init__(self, escalation_id: str) -> None:
        super().__init__(f"there is no escalation '{escalation_id}'")


class ApprovalNotFound(InterlockError):
    """No approval has that id."""

    code = "approval_not_found"

    def __init__(self, approval_id: str) -> None:
        super().__init__(f"there is no approval '{approval_id}'")


@dataclass(frozen=True, slots=True)
class Escalation:
    """A conversation that waits for a person, is with one, or was."""

    id: str
    conversation_id: str
    turn_id: str
    """The turn that asked for a person."""
    agent: str
    customer_id: str | None
    queue: str
    priority: Priority
    reason: str
    detail: str | None
    summary: str
    last_tool_call: JsonObject | None
    state: EscalationState
    created_at: datetime
    due_at: datetime | None
    """When a person should have answered; None for no limit."""
    overdue_at: datetime | None
    """When it was noticed that nobody had."""
    claimed_by: str | None
    claimed_at: datetime | None
    answered_at: datetime | None
    """When a person first wrote to the customer."""
    closed_by: str | None
    closed_at: datetime | None
    resolution: str | None
    """What the person left as a note when closing it or handing it back."""
    handed_back: bool

    @property
    def active(self) -> bool:
        """Whether messages go to a person."""
        return self.state != "closed"

    def is_overdue(self, now: datetime) -> bool:
        """Whether a person should have answered by now, and has not."""
        late = self.due_at is not None and self.due_at <= now
        return self.active and self.answered_at is None and late


@dataclass(frozen=True, slots=True)
class Approval:
    """A tool call that waits for a person's yes, or did."""

    id: str
    conversation_id: str
    turn_id: str
    """The turn that wanted to make the call."""
    agent: str
    customer_id: str | None
    snapshot: str
    """Digest of the configuration whose tool is meant."""
    tool: str
    input: JsonObject
    """As the model wrote it, or as a person changed it."""
    arguments: JsonObject
    """The same with the bound values: exactly what is sent."""
    action_key: str
    """Names what the call does; it is carried out once under this key."""
    asked_key: str
    """The same of the call as the model asked for it."""
    why: str | None
    state: ApprovalState
    created_at: datetime
    expires_at: datetime
    verdict: Verdict | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    attempted_at: datetime | None
    """When the call was about to be made; a crash after this leaves its effect in doubt."""
    result: JsonObject | None
    """The `ToolResult` that answers the call."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a customer thinks of one turn."""

    turn_id: str
    conversation_id: str
    rating: int
    """1 to 5."""
    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of a conversation with all that is kept of it."""

    role: Role
    text: str
    author: str | None
    turn_id: str
    created_at: datetime
