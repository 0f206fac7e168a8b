"""Reading a model's reply: every stop reason becomes one of a few kinds. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.turn.ports import ModelReply

__all__ = [
    "Answer",
    "Overflow",
    "Paused",
    "ReadReply",
    "Refusal",
    "ToolUse",
    "Truncated",
    "UnknownStop",
    "Unusable",
    "read_reply",
    "reply_text",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished text; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Tool calls as (name, input), and what was said beside them."""

    text: str
    calls: tuple[tuple[str, JsonObject], ...]


@dataclass(frozen=True, slots=True)
class Truncated:
    """A reply that ran out of `max_tokens`. Its last tool call may be half written."""

    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """A reply to be sent back unchanged, so that the model goes on."""

    content: list[JsonObject]


@dataclass(frozen=True, slots=True)
class Overflow:
    """The prompt filled the model's context window."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A reply with neither a text nor a tool call."""


@dataclass(frozen=True, slots=True)
class UnknownStop:
    """A stop reason of which nobody knows what it asks for."""

    stop_reason: str


class Refusal(Exception):
    """The model declined, for its provider's reasons; asking again unchanged is useless."""

    def __init__(self, category: str) -> None:
        self.category = category
        super().__init__(f"the model refused ({category})")


ReadReply = Answer | ToolUse | Truncated | Paused | Overflow | Unusable | UnknownStop


def reply_text(content: list[JsonObject]) -> str:
    """The text of a reply. Blocks are read by type: thinking may come first."""
    texts = (str(block.get("text") or "") for block in content if block.get("type") == "text")
    return _readable("".join(texts).strip())


def read_reply(reply: ModelReply) -> ReadReply:
    """What a reply amounts to. Raises `Refusal`."""
    text = reply_text(reply.content)
    match reply.stop_reason:
        case "refusal":
            raise Refusal(str((reply.stop_details or {}).get("category") or "unspecified"))
        case "max_tokens":
            return Truncated(text)
        case "model_context_window_exceeded":
            return Overflow()
        case "pause_turn":
            return Paused(reply.content)
        case "end_turn" | "stop_sequence" | "tool_use":
            calls = tuple(
                (_readable(str(block.get("name"))), _input(block))
                for block in reply.content
                if block.get("type") == "tool_use"
            )
            if calls:
                return ToolUse(text, calls)
            return Answer(text) if text else Unusable()
    return UnknownStop(str(reply.stop_reason))


def _input(block: JsonObject) -> JsonObject:
    # Anything but an object fails the tool's schema, and the model is told so.
    value = block.get("input")
    try:
        to_json(value)
    except ValueError:
        return {"input": "not valid Unicode"}
    return value if isinstance(value, dict) else {"input": value}


def _readable(text: str) -> str:
    # JSON can escape half a character, which nothing can store or send on.
    return text.encode(errors="replace").decode()
