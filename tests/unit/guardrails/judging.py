"""A judge with given verdicts, for guardrails that ask a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from jsonschema import Draft202012Validator

from interlock.model.base import JsonObject
from interlock.sim.schemas import check_output_schema
from interlock.turn.guard import NoVerdict


@dataclass
class SaidJudge:
    """Gives its verdict, if that fits the schema; without one it has none to give."""

    verdict: JsonObject | None = None
    instructions: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def ask(
        self, *, instruction: str, text: str, schema: JsonObject, max_tokens: int
    ) -> JsonObject:
        """The verdict."""
        check_output_schema(schema, "schema")
        self.instructions.append(instruction)
        self.texts.append(text)
        self.tokens.append(max_tokens)
        if self.verdict is None:
            raise NoVerdict("the model is away")
        Draft202012Validator(schema).validate(self.verdict)
        return self.verdict

    def note(self, message: str) -> None:
        """Keeps the note."""
        self.notes.append(message)
