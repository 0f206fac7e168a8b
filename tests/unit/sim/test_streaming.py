from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from interlock.sim.streaming import message_events


def message(*content: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 5,
            "cache_creation_input_tokens": 1,
            "cache_read_input_tokens": 2,
            "cache_creation": {},
            "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 3},
            "service_tier": "standard",
        },
    }


def events(value: dict[str, Any]) -> list[dict[str, Any]]:
    parsed = []
    for event in message_events(value):
        name, data, *rest = event.split(b"\n")
        assert rest == [b"", b""]
        decoded: dict[str, Any] = from_json(data.removeprefix(b"data: "))
        assert name == b"event: " + decoded["type"].encode()
        parsed.append(decoded)
    return parsed


def assemble(found: list[dict[str, Any]]) -> list[Any]:
    blocks: list[Any] = []
    inputs: list[str] = []
    for event in found:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(blocks)
                blocks.append(event["content_block"])
                inputs = []
            case "content_block_delta":
                match event["delta"]:
                    case {"type": "input_json_delta", "partial_json": part}:
                        inputs.append(part)
                    case {"type": "signature_delta", "signature": signature}:
                        blocks[-1]["signature"] = signature
                    case {"type": "text_delta", "text": part}:
                        blocks[-1]["text"] += part
                    case {"type": "thinking_delta", "thinking": part}:
                        blocks[-1]["thinking"] += part
            case "content_block_stop" if inputs:
                blocks[-1]["input"] = from_json("".join(inputs) or "{}")
    return blocks


text = st.text(max_size=200)
json_values = st.dictionaries(text, text | st.integers() | st.lists(st.booleans(), max_size=3))
blocks = st.one_of(
    st.builds(lambda value: {"type": "text", "text": value}, text),
    st.builds(lambda a, b: {"type": "thinking", "thinking": a, "signature": b}, text, text),
    st.builds(
        lambda value: {"type": "tool_use", "id": "t", "name": "n", "input": value}, json_values
    ),
)


@given(st.lists(blocks, max_size=4))
def test_the_events_add_up_to_the_message(content: list[Any]) -> None:
    found = events(message(*content))

    assert assemble(found) == content
    assert [found[0]["type"], found[1]["type"]] == ["message_start", "ping"]
    assert [event["type"] for event in found[-2:]] == ["message_delta", "message_stop"]


def test_the_stop_reason_and_the_usage_come_at_the_end() -> None:
    start, *_, delta, _ = events(message({"type": "text", "text": "Hi"}))

    assert start["message"]["stop_reason"] is None
    assert start["message"]["content"] == []
    assert start["message"]["usage"]["input_tokens"] == 5
    assert delta["delta"]["stop_reason"] == "end_turn"
    assert delta["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 1,
        "cache_read_input_tokens": 2,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 3},
    }


def test_long_texts_come_in_several_deltas() -> None:
    found = events(message({"type": "text", "text": "word " * 50}))

    assert [event["type"] for event in found].count("content_block_delta") > 3


def test_an_empty_input_has_one_empty_fragment() -> None:
    found = events(message({"type": "tool_use", "id": "t", "name": "n", "input": {}}))

    deltas = [event["delta"] for event in found if event["type"] == "content_block_delta"]
    assert deltas == [{"type": "input_json_delta", "partial_json": ""}]


def test_blocks_of_no_known_shape_are_streamed_as_they_are() -> None:
    content: list[Any] = [5, {"type": "text"}, {"type": "magic", "x": 1}, {"no": "type"}]

    assert assemble(events(message(*content))) == content
