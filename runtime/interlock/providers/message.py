"""Reading a Messages API answer: checks what we rely on, passes the rest through untouched."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.model.base import Json, JsonObject
from interlock.model.usage import Usage

__all__ = ["MalformedMessage", "Message", "read_message", "read_usage"]


class MalformedMessage(ValueError):
    """The server's answer is not a message; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Message:
    """The parts of an answer that the runtime uses."""

    content: list[JsonObject]
    stop_reason: str
    usage: Usage
    stop_details: JsonObject | None


def read_message(value: Json) -> Message:
    """The message that `value` holds. Raises `MalformedMessage` for anything else."""
    answer = _object(value, "the answer")
    content = answer.get("content")
    if not isinstance(content, list):
        raise MalformedMessage("content is not a list")
    for place, block in enumerate(content):
        _check_block(block, f"content[{place}]")
    stop_reason = answer.get("stop_reason")
    if not isinstance(stop_reason, str):
        raise MalformedMessage("stop_reason is missing")
    details = answer.get("stop_details")
    return Message(
        content=content,
        stop_reason=stop_reason,
        usage=read_usage(answer.get("usage")),
        stop_details=details if isinstance(details, dict) else None,
    )


def read_usage(value: Json) -> Usage:
    """The tokens that the server counted; a null or absent count is 0.

    Raises `MalformedMessage` when there is no count at all: that is unknown, not free.
    """
    usage = _object(value, "usage")
    if usage.get("input_tokens") is None and usage.get("output_tokens") is None:
        raise MalformedMessage("usage counts no tokens")
    total = _count(usage)
    iterations = usage.get("iterations")
    if iterations is not None and not isinstance(iterations, list):
        raise MalformedMessage("usage.iterations is not a list")
    for iteration in iterations or ():
        entry = _object(iteration, "usage.iterations[]")
        # Only these are left out of the totals; all other kinds are a breakdown of them.
        if entry.get("type") == "compaction":
            total = _add(total, _count(entry))
    return total


def _count(usage: JsonObject) -> Usage:
    split = _object(usage.get("cache_creation") or {}, "usage.cache_creation")
    long = _tokens(split, "ephemeral_1h_input_tokens")
    short = _tokens(split, "ephemeral_5m_input_tokens")
    # What the split leaves open was written for the default time, five minutes.
    unsplit = max(0, _tokens(usage, "cache_creation_input_tokens") - long - short)
    return Usage(
        input=_tokens(usage, "input_tokens"),
        cache_write_5m=short + unsplit,
        cache_write_1h=long,
        cache_read=_tokens(usage, "cache_read_input_tokens"),
        output=_tokens(usage, "output_tokens"),
    )


def _add(left: Usage, right: Usage) -> Usage:
    return Usage(
        input=left.input + right.input,
        cache_write_5m=left.cache_write_5m + right.cache_write_5m,
        cache_write_1h=left.cache_write_1h + right.cache_write_1h,
        cache_read=left.cache_read + right.cache_read,
        output=left.output + right.output,
    )


def _tokens(usage: JsonObject, key: str) -> int:
    value = usage.get(key)
    if value is None:
        return 0
    if type(value) is not int or value < 0:  # a bool is an int, but not a count
        raise MalformedMessage(f"usage.{key} is not a count")
    return value


def _check_block(block: Json, place: str) -> None:
    kind = _object(block, place).get("type")
    if not isinstance(kind, str):
        raise MalformedMessage(f"{place} has no type")
    if kind == "text" and not isinstance(block.get("text"), str):
        raise MalformedMessage(f"{place} has no text")
    if kind == "tool_use":
        if not isinstance(block.get("id"), str) or not isinstance(block.get("name"), str):
            raise MalformedMessage(f"{place} has no id or name")
        if not isinstance(block.get("input"), dict):
            raise MalformedMessage(f"{place}.input is not an object")


def _object(value: Json, place: str) -> JsonObject:
    if not isinstance(value, dict):
        raise MalformedMessage(f"{place} is not an object")
    return value
