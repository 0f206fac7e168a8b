"""A request that has passed validation, with string contents spread into blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interlock.model.base import JsonObject
from interlock.sim.models import ModelTraits

__all__ = ["Message", "Request"]


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of `messages`; a string content is one text block."""

    role: str
    blocks: Sequence[JsonObject]


@dataclass(frozen=True, slots=True)
class Request:
    """A request to `/v1/messages` or to `/v1/messages/count_tokens`."""

    body: JsonObject
    """As it was sent."""
    model: str
    traits: ModelTraits
    max_tokens: int
    stream: bool
    system: Sequence[JsonObject]
    tools: Sequence[JsonObject]
    messages: Sequence[Message]

    @property
    def schema(self) -> JsonObject | None:
        """The JSON Schema that the reply is to follow, if one is asked for."""
        output = (self.body.get("output_config") or {}).get("format") or {}
        schema: JsonObject | None = output.get("schema")
        return schema

    @property
    def tool_choice(self) -> str:
        """The choice that is in effect: `none` when no tools are offered, `auto` by default."""
        if not self.tools:
            return "none"
        return str((self.body.get("tool_choice") or {}).get("type", "auto"))
