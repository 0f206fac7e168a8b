"""A request as the model reads it: pieces of bytes, which are counted, cached and signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.sim.errors import ApiError
from interlock.sim.request import Request

__all__ = ["Piece", "Prompt", "build_prompt", "tokens_in"]

_BYTES_PER_TOKEN = 4
_MAX_BREAKPOINTS = 4
_UNCACHED = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True)
class Piece:
    """One tool, system block or content block. `ttl` is set where the prefix is to be cached."""

    data: bytes
    ttl: str | None


@dataclass(frozen=True, slots=True)
class Prompt:
    """The pieces in the order in which the API caches them."""

    schema: bytes
    """The output schema; empty without one. It comes before all else."""
    tools: Sequence[Piece]
    system: Sequence[Piece]
    messages: Sequence[Sequence[Piece]]
    tokens: int
    """The whole prompt."""

    def pieces(self) -> Iterator[Piece]:
        """All pieces after the schema."""
        yield from self.tools
        yield from self.system
        for message in self.messages:
            yield from message


def tokens_in(size: int) -> int:
    """The estimated tokens in so many bytes of UTF-8."""
    return size // _BYTES_PER_TOKEN


def build_prompt(request: Request) -> Prompt:
    """The prompt of a request. Raises `ApiError` for more breakpoints than the API allows."""
    tools = [_piece(tool, b"tool ") for tool in request.tools]
    system = [_piece(block, b"system ") for block in request.system]
    messages = [
        [_piece(block, message.role.encode() + b" ") for block in message.blocks]
        for message in request.messages
    ]
    automatic = request.body.get("cache_control")
    if automatic is not None:
        _mark_last(request, messages, automatic.get("ttl", "5m"))
    schema = b"" if request.schema is None else to_json(request.schema)
    groups = (tools, system, *messages)
    breakpoints = sum(1 for pieces in groups for piece in pieces if piece.ttl is not None)
    if breakpoints > _MAX_BREAKPOINTS:
        raise ApiError(
            400,
            f"A maximum of {_MAX_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {breakpoints}.",
        )
    size = len(schema) + sum(len(piece.data) for pieces in groups for piece in pieces)
    return Prompt(schema, tools, system, messages, tokens=max(1, tokens_in(size)))


def _piece(block: JsonObject, prefix: bytes) -> Piece:
    ttl: str | None = None
    marker = block.get("cache_control")
    content: Any = block.get("content")
    is_result = block.get("type") == "tool_result" and isinstance(content, list)
    if is_result and any("cache_control" in part for part in content):
        inner = [part["cache_control"] for part in content if part.get("cache_control")]
        marker = marker or (inner[-1] if inner else None)
        block = {**block, "content": [_unmarked(part) for part in content]}
    if marker is not None:
        ttl = marker.get("ttl", "5m")
    if "cache_control" in block:
        # Moving a breakpoint changes neither the cached prefix nor what thinking is bound to.
        block = _unmarked(block)
    return Piece(prefix + to_json(block), ttl)


def _unmarked(block: JsonObject) -> JsonObject:
    return {key: value for key, value in block.items() if key != "cache_control"}


def _mark_last(request: Request, messages: list[list[Piece]], ttl: Any) -> None:
    """Sets the breakpoint of a top-level `cache_control`: the last block that can be cached."""
    for message, pieces in zip(reversed(request.messages), reversed(messages), strict=True):
        for index in range(len(pieces) - 1, -1, -1):
            if message.blocks[index]["type"] not in _UNCACHED:
                pieces[index] = Piece(pieces[index].data, pieces[index].ttl or ttl)
                return
