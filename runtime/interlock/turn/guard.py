"""Where guardrails stand in a turn, and what they may say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from interlock.model.agent import OnViolation
from interlock.model.base import JsonObject

__all__ = [
    "Deny",
    "Evidence",
    "Guardrail",
    "GuardrailInput",
    "Guards",
    "Judge",
    "NoJudge",
    "NoVerdict",
    "Redact",
    "Stage",
    "Use",
]

Stage = Literal["input", "tool_call", "tool_result", "output"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that was really said or looked up in the conversation."""

    source: Literal["customer", "reply", "tool"]
    """`reply` is an earlier answer, which the agent's output guardrails let pass."""
    text: str
    """The message, or the tool's result as JSON."""
    tool: str | None = None
    failed: bool = False
    """Whether the tool's result is an error."""
    arguments: JsonObject | None = None
    """The input of the tool call, which shows nothing by itself."""


@dataclass(frozen=True, slots=True)
class GuardrailInput:
    """What a guardrail judges."""

    stage: Stage
    text: str
    """The message, the answer, or the input or result of a tool call as JSON."""
    tool: str | None = None
    """For `tool_call` and `tool_result`."""
    arguments: JsonObject | None = None
    """For `tool_call`: the input as the model wrote it."""
    session: JsonObject = field(default_factory=dict)
    """The claims of the session."""
    evidence: Sequence[Evidence] = ()
    """For `output`: the conversation's messages and tool results, oldest first."""


@dataclass(frozen=True, slots=True)
class Deny:
    """The text must not pass."""

    message: str
    """What is wrong, in words that a model can act on."""
    rule: str | None = None
    """Which of the guardrail's rules it breaks."""


@dataclass(frozen=True, slots=True)
class Redact:
    """Another text is to pass instead."""

    text: str
    rule: str | None = None
    """Which of the guardrail's rules asked for it."""


class NoVerdict(Exception):
    """The model that judges could not be asked, or its answer could not be read."""


class Judge(Protocol):
    """Asks the model of the agent's `validate` route, within the conversation's budget."""

    async def ask(
        self, *, instruction: str, text: str, schema: JsonObject, max_tokens: int
    ) -> JsonObject:
        """The model's verdict on `text`, valid by `schema`. Raises `NoVerdict`."""
        ...

    def note(self, message: str) -> None:
        """Records something in the trace that is no reason to object."""
        ...


class NoJudge:
    """A judge where there is no model to ask."""

    async def ask(
        self, *, instruction: str, text: str, schema: JsonObject, max_tokens: int
    ) -> JsonObject:
        """Raises `NoVerdict`."""
        raise NoVerdict("no model can be asked here")

    def note(self, message: str) -> None:
        """Does nothing, as there is no trace."""


class Guardrail(Protocol):
    """One configured guardrail."""

    @property
    def name(self) -> str:
        """The name that `use:` refers to."""
        ...

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | Redact | None:
        """Its decision; None lets the text pass."""
        ...


@dataclass(frozen=True, slots=True)
class Use:
    """A guardrail at its place, and what becomes of its no and of its failure."""

    guardrail: Guardrail
    on_violation: OnViolation | None = None
    """None: a message is refused, and for an answer the agent says what is done."""
    on_error: Literal["deny", "allow"] = "deny"
    """What it means that the guardrail raised, took too long, or could give no verdict."""
    timeout_seconds: float = 5.0
    redacts: bool = False
    """Whether it may give another text; no model reads a message before such a guardrail did."""


@dataclass(frozen=True, slots=True)
class Guards:
    """The guardrails of an agent, in the order of its YAML."""

    input: tuple[Use, ...] = ()
    tool_call: tuple[Use, ...] = ()
    tool_result: tuple[Use, ...] = ()
    output: tuple[Use, ...] = ()
