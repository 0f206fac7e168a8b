"""Where guardrails stand in a turn, and what they may say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Guardrail", "GuardrailInput", "Guards", "Stage", "Violation", "first_violation"]

Stage = Literal["input", "tool_call", "tool_result", "output"]


@dataclass(frozen=True, slots=True)
class GuardrailInput:
    """What a guardrail judges."""

    stage: Stage
    text: str
    """The message, the answer, or the input or result of a tool call as JSON."""
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """A guardrail's no."""

    guardrail: str
    message: str
    """What is wrong, in words that a model can act on."""


class Guardrail(Protocol):
    """One configured guardrail."""

    @property
    def name(self) -> str:
        """The name that `use:` refers to."""
        ...

    async def check(self, data: GuardrailInput) -> str | None:
        """What is wrong, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Guards:
    """The guardrails of an agent, in the order of its YAML."""

    input: tuple[Guardrail, ...] = ()
    tool_call: tuple[Guardrail, ...] = ()
    tool_result: tuple[Guardrail, ...] = ()
    output: tuple[Guardrail, ...] = ()


async def first_violation(
    guardrails: Sequence[Guardrail], data: GuardrailInput
) -> Violation | None:
    """The first guardrail's no, in order."""
    for guardrail in guardrails:
        message = await guardrail.check(data)
        if message is not None:
            return Violation(guardrail.name, message)
    return None
