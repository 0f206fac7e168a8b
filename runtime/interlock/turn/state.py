"""What a turn has learnt so far. Rebuilt from step results, never stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from jinja2 import Template

from interlock.model.base import JsonObject
from interlock.model.plan import Step
from interlock.model.result import ToolResult
from interlock.turn.repetition import Loop, RepetitionLog

__all__ = ["Exchange", "ToolCall", "TurnState"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model made it."""

    id: str
    name: str
    input: JsonObject


@dataclass(frozen=True, slots=True)
class Exchange:
    """Tool calls of one reply with their results, in the same order."""

    text: str
    """What the model said beside the calls."""
    calls: tuple[ToolCall, ...]
    results: tuple[ToolResult, ...]


@dataclass(slots=True)
class TurnState:
    """The loop's working memory."""

    repetition: RepetitionLog
    iteration: int = 0
    steps: tuple[Step, ...] = ()
    """What is left of the plan; empty when a new plan is due."""
    exchanges: list[Exchange] = field(default_factory=list)
    failed_iterations: int = 0
    loop: Loop | None = None
    handover: JsonObject | None = None
    """The input of the escalation tool, once the model has called it."""
    unknown_effect: str | None = None
    """The mutation of which nobody knows whether it happened."""
    draft: str | None = None
    """The model's answer to the customer."""
    cut_off: bool = False
    """Whether `draft` ended at `max_tokens`."""
    unknown_stop: str | None = None
    """A stop reason of which nobody knows what it asks for."""
    awaiting: str | None = None
    """The approval that a tool call waits for, if one does."""
    open_failures: set[str] = field(default_factory=set)
    """Tools whose last call failed, other than by being refused for good reasons."""
    mutation_attempted: bool = False
    unusable_replies: int = 0
    """Replies in a row that held neither an answer nor a tool call."""
    continuation: list[JsonObject] = field(default_factory=list)
    """Content to send back unchanged after a `pause_turn`."""
    redacted: bool = False
    """Whether a guardrail has changed the customer's message."""
    agent_off: bool = False
    """Whether an operator has switched the agent off."""
    tools_off: frozenset[str] = frozenset()
    """The agent's tools that operators have switched off."""
    budget_low: bool = False
    """Whether `limits.warnAt` has been passed."""
    model_calls: int = 0
    tool_calls: int = 0
    tokens: int = 0
    cost_nano: int = 0
    unpriced_calls: int = 0

    rendered: dict[Template, str] = field(default_factory=dict)
    """The prompts' texts, which stay the same for the whole turn."""

    @property
    def messages(self) -> int:
        """Messages that the exchanges of this turn amount to."""
        return 2 * len(self.exchanges)
