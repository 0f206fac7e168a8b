from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.usage import Usage
from interlock.providers.message import MalformedMessage, read_message, read_usage

TEXT = {"type": "text", "text": "hello"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def message(**changes: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [TEXT],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 5},
    } | changes


def test_reads_a_message() -> None:
    found = read_message(message(content=[TEXT, CALL], stop_reason="tool_use"))
    assert found.content == [TEXT, CALL]
    assert found.stop_reason == "tool_use"
    assert found.usage == Usage(input=3, output=5)
    assert found.stop_details is None


def test_keeps_the_details_of_a_refusal() -> None:
    details = {"type": "refusal", "category": "cyber"}
    found = read_message(message(stop_reason="refusal", stop_details=details))
    assert found.stop_details == details


def test_passes_unknown_blocks_and_fields_through() -> None:
    blocks = [
        {"type": "hologram", "depth": [1, {"x": None}]},
        {"type": "thinking", "thinking": "", "signature": "abc"},
        {"type": "text", "text": "t", "citations": [{"type": "char_location"}]},
    ]
    assert read_message(message(content=blocks)).content == blocks


def test_accepts_an_empty_answer() -> None:
    assert read_message(message(content=[])).content == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "the answer is not an object"),
        (None, "the answer is not an object"),
        (message(content=None), "content is not a list"),
        (message(content="hello"), "content is not a list"),
        (message(content=["hello"]), r"content\[0\] is not an object"),
        (message(content=[TEXT, {}]), r"content\[1\] has no type"),
        (message(content=[{"type": "text"}]), r"content\[0\] has no text"),
        (message(content=[{"type": "text", "text": 1}]), "has no text"),
        (message(content=[CALL | {"id": None}]), "has no id or name"),
        (message(content=[CALL | {"name": 1}]), "has no id or name"),
        (message(content=[CALL | {"input": "{}"}]), "input is not an object"),
        (message(stop_reason=None), "stop_reason is missing"),
        (message(stop_reason=7), "stop_reason is missing"),
        (message(usage=None), "usage is not an object"),
        (message(usage=[]), "usage is not an object"),
    ],
)
def test_names_what_is_wrong(value: Any, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        read_message(value)


def test_counts_cache_writes_by_their_time() -> None:
    usage = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "cache_read_input_tokens": 4,
        "output_tokens": 5,
    }
    assert read_usage(usage) == Usage(
        input=1, cache_write_5m=10, cache_write_1h=20, cache_read=4, output=5
    )


@pytest.mark.parametrize("split", [None, {}, {"ephemeral_5m_input_tokens": None}])
def test_takes_cache_writes_without_a_split_for_five_minutes(split: Any) -> None:
    usage = {"output_tokens": 1, "cache_creation_input_tokens": 30, "cache_creation": split}
    assert read_usage(usage) == Usage(cache_write_5m=30, output=1)


def test_takes_the_rest_of_an_incomplete_split_for_five_minutes() -> None:
    usage = {
        "output_tokens": 1,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_1h_input_tokens": 20},
    }
    assert read_usage(usage) == Usage(cache_write_5m=10, cache_write_1h=20, output=1)


def test_null_counts_are_zero() -> None:
    usage = {
        "input_tokens": None,
        "cache_creation_input_tokens": None,
        "cache_creation": None,
        "cache_read_input_tokens": None,
        "iterations": None,
        "output_tokens": 5,
    }
    assert read_usage(usage) == Usage(output=5)


def test_adds_compactions_and_nothing_else() -> None:
    compaction = {
        "type": "compaction",
        "input_tokens": 100,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 20,
        "output_tokens": 7,
    }
    usage = {
        "input_tokens": 1,
        "output_tokens": 2,
        "iterations": [
            compaction,
            {"type": "message", "input_tokens": 1, "output_tokens": 2},
            compaction,
        ],
    }
    assert read_usage(usage) == Usage(input=201, cache_write_5m=20, cache_read=40, output=16)


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"input_tokens": None, "output_tokens": None},
        {"input_tokens": "3", "output_tokens": 1},
        {"input_tokens": 3.5, "output_tokens": 1},
        {"input_tokens": True, "output_tokens": 1},
        {"input_tokens": -1, "output_tokens": 1},
        {"input_tokens": 1, "cache_creation": 5},
        {"input_tokens": 1, "iterations": {}},
        {"input_tokens": 1, "iterations": [3]},
        {"input_tokens": 1, "iterations": [{"type": "compaction", "input_tokens": "x"}]},
    ],
)
def test_refuses_counts_that_are_none(usage: Any) -> None:
    with pytest.raises(MalformedMessage):
        read_usage(usage)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "content": json_values | st.lists(json_values),
            "stop_reason": json_values,
            "stop_details": json_values,
            "usage": json_values
            | st.fixed_dictionaries(
                {"input_tokens": json_values},
                optional={"cache_creation": json_values, "iterations": json_values},
            ),
        },
    )
    | json_values
)
def test_any_json_is_a_message_or_malformed(value: Any) -> None:
    try:
        found = read_message(value)
    except MalformedMessage:
        return
    assert isinstance(found.stop_reason, str)
    assert all(isinstance(block, dict) for block in found.content)
    assert found.usage.total >= 0
