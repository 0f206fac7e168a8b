"""The events of a streamed message, for tests."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]


def start(**usage: Any) -> Event:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1} | usage,
    }
    return {"type": "message_start", "message": message}


def block_start(index: int, block: Event) -> Event:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **payload: Any) -> Event:
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": kind} | payload,
    }


def block_stop(index: int) -> Event:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", **usage: Any) -> list[Event]:
    return [
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": 9} | usage,
        },
        {"type": "message_stop"},
    ]


def text(index: int, *parts: str) -> list[Event]:
    return [
        block_start(index, {"type": "text", "text": ""}),
        *(delta(index, "text_delta", text=part) for part in parts),
        block_stop(index),
    ]


def tool(index: int, *parts: str, name: str = "look") -> list[Event]:
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    return [
        block_start(index, block),
        *(delta(index, "input_json_delta", partial_json=part) for part in parts),
        block_stop(index),
    ]
