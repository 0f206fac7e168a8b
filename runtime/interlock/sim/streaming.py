"""A message as server-sent events, in the API's order."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from interlock.model.base import JsonObject

__all__ = ["encode_event", "message_events"]

_CHUNK = 40
"""Characters in one delta."""


def encode_event(data: JsonObject) -> bytes:
    """One event, named by its `type`."""
    return b"event: %b\ndata: %b\n\n" % (data["type"].encode(), to_json(data))


def message_events(message: JsonObject) -> list[bytes]:
    """The events that stream `message`, from `message_start` to `message_stop`."""
    usage = message["usage"]
    start = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": {**usage, "output_tokens": 1, "output_tokens_details": None},
    }
    events: list[JsonObject] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        events += _block_events(index, block)
    delta = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    total = {name: value for name, value in usage.items() if name.endswith(_CUMULATIVE)}
    events.append({"type": "message_delta", "delta": delta, "usage": total})
    events.append({"type": "message_stop"})
    return [encode_event(event) for event in events]


_CUMULATIVE = ("_tokens", "_details")


def _block_events(index: int, block: Any) -> list[JsonObject]:
    start, deltas = _split(block)
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def _split(block: Any) -> tuple[Any, list[JsonObject]]:
    """A block as it starts, and what is then added to it. A broken raw block starts complete."""
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text" and isinstance(block.get("text"), str):
        texts = _chunks(block["text"])
        return {**block, "text": ""}, [{"type": "text_delta", "text": text} for text in texts]
    if kind == "tool_use" and "input" in block:
        # The first fragment is empty, as the API's is; an empty input is no fragment more.
        pieces = _chunks(to_json(block["input"]).decode()) if block["input"] else []
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)]
        return {**block, "input": {}}, deltas
    if kind == "thinking" and isinstance(block.get("thinking"), str):
        deltas = [
            {"type": "thinking_delta", "thinking": text} for text in _chunks(block["thinking"])
        ]
        if "signature" in block:
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {**block, "thinking": "", "signature": ""}, deltas
    return block, []


def _chunks(text: str) -> list[str]:
    return [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
