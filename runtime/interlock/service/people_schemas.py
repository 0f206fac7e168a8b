"""What the API gives and takes about escalations, approvals and feedback, as pydantic models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from interlock.model.agent import Priority
from interlock.model.base import JsonObject
from interlock.model.turn import Verdict
from interlock.service.inputs import refuse_nul
from interlock.service.schemas import Schema, TranscriptMessage
from interlock.store.people_records import ApprovalState, EscalationState

__all__ = [
    "ApprovalPage",
    "ApprovalView",
    "EscalationDetail",
    "EscalationPage",
    "EscalationView",
    "NewAnswer",
    "NewDenial",
    "NewEdit",
    "NewFeedback",
    "NewHandBack",
    "NewReply",
    "NewResolution",
]

_Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
    AfterValidator(refuse_nul),
]


class EscalationView(Schema):
    """A conversation that waits for a person, is with one, or was."""

    id: str = Field(examples=["esc_0193a5c2f1e04b2f8c1d0e9a7b6c5d4e"])
    conversation_id: str
    turn_id: str
    """The turn that asked for a person."""
    trace: str = Field(examples=["/v1/turns/turn_1/trace"])
    """Where everything about that turn can be read."""
    agent: str
    customer_id: str | None
    queue: str
    priority: Priority
    reason: str
    """Why the agent gave up, as one stable word."""
    detail: str | None
    summary: str
    last_tool_call: JsonObject | None
    state: EscalationState
    created_at: datetime
    due_at: datetime | None
    """When a person should have answered; null for no limit."""
    seconds_left: float | None
    """Until `dueAt`, negative when it has passed; null once a person has answered."""
    overdue: bool
    """Whether a person should have answered by now, and has not."""
    claimed_by: str | None
    claimed_at: datetime | None
    answered_at: datetime | None
    """When a person first wrote to the customer."""
    closed_by: str | None
    closed_at: datetime | None
    resolution: str | None
    """What the person left as a note when closing it or handing it back."""
    handed_back: bool


class EscalationDetail(EscalationView):
    """An escalation with what was said."""

    messages: list[TranscriptMessage]
    """The whole conversation, oldest first, with the notes that customers do not see."""


class EscalationPage(Schema):
    """Some escalations, newest first."""

    escalations: list[EscalationView]
    next: str | None
    """Give it as `before` to get the next page; null on the last one."""


class ApprovalView(Schema):
    """A tool call that waits for a person's yes, or did."""

    id: str = Field(examples=["appr_0193a5c2f1e04b2f8c1d0e9a7b6c5d4e"])
    conversation_id: str
    turn_id: str
    """The turn that wanted to make the call."""
    trace: str = Field(examples=["/v1/turns/turn_1/trace"])
    """Where everything about that turn can be read."""
    agent: str
    customer_id: str | None
    snapshot: str
    """Digest of the configuration whose tool is meant."""
    tool: str
    input: JsonObject
    """As the model wrote it, or as a person changed it."""
    arguments: JsonObject
    """The same with the bound values: exactly what is sent."""
    why: str | None
    """What `approval.why` of the tool says."""
    state: ApprovalState
    created_at: datetime
    expires_at: datetime
    seconds_left: float | None
    """Until `expiresAt`; null once it is decided."""
    verdict: Verdict | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    result: JsonObject | None
    """What the call gave, or what was given in its place."""


class ApprovalPage(Schema):
    """Some approvals, newest first."""

    approvals: list[ApprovalView]
    next: str | None
    """Give it as `before` to get the next page; null on the last one."""


class NewReply(Schema):
    """What a person writes to the customer."""

    text: _Text


class NewHandBack(Schema):
    """What lets the agent go on."""

    note: _Text | None = None
    """What the agent should know; the customer does not see it."""


class NewResolution(Schema):
    """What closes an escalation."""

    resolution: _Text | None = None
    """What came of it; the agent reads it later, the customer does not see it."""


class NewEdit(Schema):
    """A yes to another input."""

    input: dict[str, JsonValue]
    """The whole input, as the tool's schema has it; bound values are added to it."""


class NewDenial(Schema):
    """A no."""

    reason: _Text | None = None
    """The model reads it, and may tell the customer."""


class NewAnswer(Schema):
    """A result in the tool's place."""

    result: JsonValue
    """What the model reads as the tool's data."""
    reason: _Text | None = None
    """The model reads it, and may tell the customer."""


class NewFeedback(Schema):
    """What a customer thinks of a turn."""

    rating: Annotated[int, Field(ge=1, le=5, strict=True, examples=[5])]
    """1 is bad, 5 is good."""
    text: Annotated[_Text, Field(max_length=5000)] | None = None
