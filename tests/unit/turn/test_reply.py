from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.base import JsonObject
from interlock.turn.reply import (
    Answer,
    Overflow,
    Paused,
    ReadReply,
    Refusal,
    ToolUse,
    Truncated,
    UnknownStop,
    Unusable,
    read_reply,
    reply_text,
)
from tests.unit.turn.scripted import reply

THINKING: JsonObject = {"type": "thinking", "thinking": "", "signature": "abc"}
HELLO: JsonObject = {"type": "text", "text": "Hello"}
CALL: JsonObject = {"type": "tool_use", "id": "t", "name": "get_order", "input": {"a": 1}}


@pytest.mark.parametrize(
    ("stop_reason", "content", "expected"),
    [
        ("end_turn", [HELLO], Answer("Hello")),
        ("end_turn", [THINKING, HELLO], Answer("Hello")),
        ("end_turn", [HELLO, THINKING, {"type": "text", "text": " you "}], Answer("Hello you")),
        ("stop_sequence", [HELLO], Answer("Hello")),
        ("end_turn", [], Unusable()),
        ("end_turn", [THINKING], Unusable()),
        ("end_turn", [{"type": "text", "text": " \n "}], Unusable()),
        ("tool_use", [CALL], ToolUse("", (("get_order", {"a": 1}),))),
        (
            "tool_use",
            [THINKING, HELLO, CALL, CALL],
            ToolUse("Hello", (("get_order", {"a": 1}),) * 2),
        ),
        ("end_turn", [CALL], ToolUse("", (("get_order", {"a": 1}),))),
        ("tool_use", [HELLO], Answer("Hello")),
        ("tool_use", [], Unusable()),
        ("max_tokens", [HELLO, CALL], Truncated("Hello")),
        ("max_tokens", [THINKING], Truncated("")),
        ("pause_turn", [HELLO, THINKING], Paused([HELLO, THINKING])),
        ("model_context_window_exceeded", [HELLO], Overflow()),
        ("compaction", [HELLO], UnknownStop("compaction")),
        ("", [HELLO], UnknownStop("")),
        (None, [HELLO], UnknownStop("None")),
    ],
)
def test_every_stop_reason_is_read(
    stop_reason: str | None, content: list[JsonObject], expected: ReadReply
) -> None:
    assert read_reply(reply(content, stop_reason)) == expected


@pytest.mark.parametrize(
    ("details", "category"),
    [
        ({"type": "refusal", "category": "cyber"}, "cyber"),
        ({"category": None}, "unspecified"),
        ({}, "unspecified"),
        (None, "unspecified"),
    ],
)
def test_a_refusal_says_its_category(details: JsonObject | None, category: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_reply(reply([HELLO], "refusal", details=details))
    assert caught.value.category == category


@pytest.mark.parametrize(
    ("block", "call"),
    [
        ({"type": "tool_use", "name": "f", "input": None}, ("f", {"input": None})),
        ({"type": "tool_use", "name": "f", "input": "[1"}, ("f", {"input": "[1"})),
        ({"type": "tool_use", "name": "f"}, ("f", {"input": None})),
        ({"type": "tool_use", "input": {}}, ("None", {})),
        ({"type": "tool_use", "name": "\ud800", "input": {}}, ("?", {})),
        (
            {"type": "tool_use", "name": "f", "input": {"a": ["\udfff"]}},
            ("f", {"input": "not valid Unicode"}),
        ),
    ],
)
def test_a_strange_tool_call_stays_a_call_that_can_be_answered(
    block: JsonObject, call: tuple[str, JsonObject]
) -> None:
    assert read_reply(reply([block], "tool_use")) == ToolUse("", (call,))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text"}], ""),
        ([{"type": "text", "text": None}], ""),
        ([{"text": "no type"}], ""),
        ([{"type": "image", "text": "no"}, HELLO], "Hello"),
        ([{"type": "text", "text": "half \ud83d a smile"}], "half ? a smile"),
    ],
)
def test_only_texts_are_text(content: list[JsonObject], text: str) -> None:
    assert reply_text(content) == text


blocks = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "tool_use", "thinking", "odd"]),
        "text": st.none() | st.text(),
        "name": st.none() | st.text(),
        "input": st.none() | st.text() | st.dictionaries(st.text(), st.integers()),
    },
)
stops = st.none() | st.sampled_from(["end_turn", "tool_use", "max_tokens", "pause_turn", "odd"])


@given(st.lists(blocks), stops)
def test_any_reply_is_read_as_something(content: list[dict[str, Any]], stop: str | None) -> None:
    read = read_reply(reply(content, stop))
    if isinstance(read, Answer):
        assert read.text
    if isinstance(read, ToolUse):
        assert read.calls
