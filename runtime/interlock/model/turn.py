"""What goes into a turn and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult

__all__ = [
    "Message",
    "Outcome",
    "Resumed",
    "Role",
    "Spent",
    "TurnRequest",
    "TurnResult",
    "Verdict",
]

Role = Literal["customer", "agent", "person", "note"]
"""Who wrote a message: `person` is a colleague, `note` a colleague's word to the agent alone."""

Verdict = Literal["approved", "edited", "denied", "answered", "expired"]
"""What became of a tool call that waited for a person's yes."""

Outcome = Literal["resolved", "escalated", "refused", "incomplete", "failed"]
"""How a turn ended; `docs/outcomes.md` says what each promises."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the transcript, as stored."""

    role: Role
    text: str
    author: str | None = None
    """The colleague's name, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens and money used so far."""

    tokens: int = 0
    cost_nano: int = 0
    """Nano-dollars of the calls whose price is known."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The tool call that a turn had waited for, and what came of it."""

    tool: str
    input: JsonObject
    """As the model wrote it, or as the person changed it."""
    verdict: Verdict
    result: ToolResult


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One customer's message and all that the turn needs to know about its conversation."""

    turn_id: str
    conversation_id: str
    customer_id: str | None
    session: JsonObject
    """Claims about the customer from whoever authenticated them; the source of `bind` values."""
    text: str
    transcript: tuple[Message, ...] = ()
    """The earlier messages, oldest first."""
    spent: Spent = field(default=Spent())
    """What the conversation has used before this turn."""
    resumed: Resumed | None = None
    """For a turn that no customer's message began, but a person's decision: `text` tells of it."""

    @property
    def role(self) -> Role:
        """Who wrote `text`."""
        return "customer" if self.resumed is None else "note"


@dataclass(frozen=True, slots=True)
class TurnResult:
    """How a turn ended."""

    outcome: Outcome
    reply: str
    """What the customer reads; never empty."""
    reason: str
    """Why it ended so: a stable word such as `end_turn`, `iterations`, `repetition`."""
    iterations: int
    model_calls: int
    tool_calls: int
    tokens: int
    cost_nano: int
    unpriced_calls: int
    """Model calls whose price is unknown and which `cost_nano` therefore leaves out."""
    escalation: JsonObject | None = None
    """For `escalated`: queue, reason and summary."""
    message: str | None = None
    """The customer's message as it is to be kept, where a guardrail has redacted it."""
