"""Building one message from the events of a stream, without any I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic_core import PydanticSerializationError, from_json, to_json

from interlock.model.base import Json, JsonObject
from interlock.providers.message import MalformedMessage

__all__ = ["MessageAssembler", "TruncatedStream"]

_FRAGMENTS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
"""The kinds of delta that carry text to append, and the key that holds it."""

_CUT_SHORT = ("max_tokens", "model_context_window_exceeded", "refusal")
"""Stop reasons after which the last block may be incomplete."""


class TruncatedStream(Exception):
    """The stream ended before the message did."""


@dataclass(slots=True)
class _Block:
    start: JsonObject
    fragments: dict[str, list[str]] = field(default_factory=dict)
    citations: list[Json] = field(default_factory=list)


class MessageAssembler:
    """Collects the events of one stream, in order, into the message they describe.

    Unknown events and deltas are ignored, unknown blocks are kept as they started. Fragments are
    joined and tool input is parsed once, at the end. Both methods raise `MalformedMessage` when
    the events do not fit together.
    """

    def __init__(self) -> None:
        self._head: JsonObject | None = None
        self._usage: JsonObject = {}
        self._blocks: dict[int, _Block] = {}

    @property
    def complete(self) -> bool:
        """Whether the message's end was seen; what the stream does afterwards does not matter."""
        return self._head is not None and self._head.get("stop_reason") is not None

    def feed(self, event: Json) -> None:
        """Takes the next event."""
        if not isinstance(event, dict):
            raise MalformedMessage("a stream event is not an object")
        match event.get("type"):
            case "message_start":
                self._start(_part(event, "message"))
            case "content_block_start":
                self._start_block(event)
            case "content_block_delta":
                self._extend_block(event)
            case "message_delta":
                self._extend(event)

    def message(self) -> JsonObject:
        """The message. Raises `TruncatedStream` when its end is missing."""
        if self._head is None or not self.complete:
            raise TruncatedStream("the stream ended before the message was complete")
        content: list[JsonObject] = []
        last = max(self._blocks, default=None)
        for index, block in sorted(self._blocks.items()):
            try:
                content.append(_finish(block))
            except MalformedMessage:
                # The limit cut this tool call in two. Nobody may carry it out, and the answer
                # before it was paid for and is good.
                if index != last or self._head["stop_reason"] not in _CUT_SHORT:
                    raise
        return _as_json({**self._head, "content": content, "usage": self._usage})

    def _start(self, message: JsonObject) -> None:
        if self._head is not None:
            raise MalformedMessage("the stream starts a second message")
        self._head = message
        self._add_usage(message)

    def _extend(self, event: JsonObject) -> None:
        if self._head is None:
            raise MalformedMessage("the stream goes on with a message that it did not start")
        delta = _part(event, "delta")
        self._head = self._head | {key: it for key, it in delta.items() if it is not None}
        self._add_usage(event)

    def _add_usage(self, source: JsonObject) -> None:
        # The counts are cumulative: a later one replaces an earlier one, null says nothing.
        usage = source.get("usage")
        if isinstance(usage, dict):
            self._usage.update({key: it for key, it in usage.items() if it is not None})

    def _start_block(self, event: JsonObject) -> None:
        index = event.get("index")
        if not isinstance(index, int) or index in self._blocks:
            raise MalformedMessage("the stream starts a block without a place of its own")
        self._blocks[index] = _Block(_part(event, "content_block"))

    def _extend_block(self, event: JsonObject) -> None:
        index = event.get("index")
        block = self._blocks.get(index) if isinstance(index, int) else None
        if block is None:
            raise MalformedMessage("the stream goes on with a block that it did not start")
        delta = _part(event, "delta")
        kind = delta.get("type")
        if kind == "citations_delta":
            block.citations.append(delta.get("citation"))
        elif isinstance(kind, str) and kind in _FRAGMENTS:
            key = _FRAGMENTS[kind]
            fragment = delta.get(key)
            if not isinstance(fragment, str):
                raise MalformedMessage(f"a {kind} of the stream has no {key}")
            block.fragments.setdefault(key, []).append(fragment)


def _finish(block: _Block) -> JsonObject:
    finished = dict(block.start)
    for key, fragments in block.fragments.items():
        text = "".join(fragments)
        if key == "partial_json":
            finished["input"] = _parse_input(text)
        else:
            start = finished.get(key)
            finished[key] = start + text if isinstance(start, str) else text
    if block.citations:
        earlier = finished.get("citations")
        finished["citations"] = [*(earlier if isinstance(earlier, list) else ()), *block.citations]
    return finished


def _parse_input(text: str) -> Json:
    if not text:
        return {}
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedMessage(f"a tool's input is not JSON: {error}") from error


def _part(event: JsonObject, key: str) -> JsonObject:
    value = event.get(key)
    if not isinstance(value, dict):
        raise MalformedMessage(f"a {event.get('type')} of the stream has no {key}")
    return value


def _as_json(message: JsonObject) -> JsonObject:
    # The SDK's parser lets NaN and lone surrogates through, which no store can keep.
    try:
        parsed: JsonObject = from_json(
            to_json(message, inf_nan_mode="constants"), allow_inf_nan=False
        )
    except (PydanticSerializationError, ValueError) as error:
        raise MalformedMessage(f"the message is not JSON: {error}") from error
    return parsed
