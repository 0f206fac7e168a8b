from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.providers.message import MalformedMessage, read_message
from interlock.providers.stream import MessageAssembler, TruncatedStream
from tests.unit.providers.events import block_start, block_stop, delta, end, start, text, tool


def assemble(events: Iterable[Any]) -> dict[str, Any]:
    assembler = MessageAssembler()
    for event in events:
        assembler.feed(event)
    return assembler.message()


def test_joins_text() -> None:
    message = assemble([start(), *text(0, "Hel", "lo"), *end()])
    assert message["content"] == [{"type": "text", "text": "Hello"}]
    assert message["stop_reason"] == "end_turn"
    assert message["id"] == "msg_1"


def test_the_result_is_a_readable_message() -> None:
    events = [start(), *text(0, "a"), *tool(1, '{"id": ', '"ORD-1"}'), *end("tool_use")]
    found = read_message(assemble(events))
    assert found.content[1] == {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "look",
        "input": {"id": "ORD-1"},
    }
    assert found.stop_reason == "tool_use"


@pytest.mark.parametrize("parts", [(), ("",), ("", "")])
def test_an_empty_tool_input_is_an_empty_object(parts: tuple[str, ...]) -> None:
    message = assemble([start(), *tool(0, *parts), *end("tool_use")])
    assert message["content"][0]["input"] == {}


def test_keeps_a_tool_input_that_came_whole_with_the_start() -> None:
    block = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}
    message = assemble([start(), block_start(0, block), block_stop(0), *end("tool_use")])
    assert message["content"] == [block]


def test_keeps_thinking_with_its_signature() -> None:
    events = [
        start(),
        block_start(0, {"type": "thinking", "thinking": "", "signature": ""}),
        delta(0, "thinking_delta", thinking="Let me "),
        delta(0, "thinking_delta", thinking="see."),
        delta(0, "signature_delta", signature="c2ln"),
        block_stop(0),
        *text(1, "Done."),
        *end(),
    ]
    assert assemble(events)["content"] == [
        {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"},
        {"type": "text", "text": "Done."},
    ]


def test_collects_citations() -> None:
    events = [
        start(),
        block_start(0, {"type": "text", "text": "", "citations": []}),
        delta(0, "citations_delta", citation={"type": "char_location", "start": 1}),
        delta(0, "text_delta", text="x"),
        *end(),
    ]
    assert assemble(events)["content"] == [
        {"type": "text", "text": "x", "citations": [{"type": "char_location", "start": 1}]}
    ]


def test_keeps_unknown_blocks_and_ignores_unknown_deltas_and_events() -> None:
    events = [
        {"type": "ping"},
        start(),
        {"type": "weather_report"},
        block_start(0, {"type": "hologram", "depth": 3}),
        delta(0, "depth_delta", depth=4),
        block_stop(0),
        *end(),
    ]
    assert assemble(events)["content"] == [{"type": "hologram", "depth": 3}]


def test_orders_blocks_by_their_place() -> None:
    events = [start(), *text(1, "second"), *text(0, "first"), *end()]
    assert [block["text"] for block in assemble(events)["content"]] == ["first", "second"]


def test_later_counts_replace_earlier_ones_and_null_replaces_nothing() -> None:
    events = [
        start(
            cache_creation_input_tokens=30,
            cache_creation={"ephemeral_1h_input_tokens": 30},
            output_tokens=1,
        ),
        *end(input_tokens=None, output_tokens=40, cache_read_input_tokens=5),
    ]
    assert assemble(events)["usage"] == {
        "input_tokens": 11,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_1h_input_tokens": 30},
        "cache_read_input_tokens": 5,
        "output_tokens": 40,
    }


def test_keeps_the_details_of_a_refusal() -> None:
    details = {"type": "refusal", "category": "cyber"}
    last = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    assert assemble([start(), last])["stop_details"] == details


@pytest.mark.parametrize(
    "events",
    [
        [],
        [start()],
        [start(), *text(0, "half a")],
        [start(), *tool(0, '{"a": ')],
        [start(), *text(0, "a"), *end(None)],
    ],
)
def test_a_stream_without_an_end_is_truncated(events: list[Any]) -> None:
    with pytest.raises(TruncatedStream):
        assemble(events)


@pytest.mark.parametrize("reason", ["tool_use", "end_turn", "pause_turn"])
@pytest.mark.parametrize("parts", [('{"a": ',), ("nonsense",), ('{"a": NaN}',)])
def test_refuses_a_tool_input_that_is_not_json(reason: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(MalformedMessage, match="input is not JSON"):
        assemble([start(), *tool(0, *parts), *end(reason)])


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "refusal"])
def test_leaves_out_a_last_tool_call_that_a_limit_cut_in_two(reason: str) -> None:
    message = assemble([start(), *text(0, "a"), *tool(1, '{"a": "b'), *end(reason)])
    assert message["content"] == [{"type": "text", "text": "a"}]
    assert message["stop_reason"] == reason


def test_refuses_a_broken_tool_input_before_the_last_block_even_at_a_limit() -> None:
    with pytest.raises(MalformedMessage):
        assemble([start(), *tool(0, '{"a": '), *text(1, "a"), *end("max_tokens")])


@pytest.mark.parametrize(
    "events",
    [
        ["text"],
        [None],
        [{"type": "message_start"}],
        [{"type": "message_start", "message": []}],
        [start(), start()],
        [*end()],
        [start(), {"type": "message_delta"}],
        [start(), delta(0, "text_delta", text="a")],
        [start(), *text(0, "a"), *text(0, "b")],
        [start(), {"type": "content_block_start", "index": 0}],
        [start(), {"type": "content_block_start", "content_block": {}}],
        [start(), *text(0), delta(0, "text_delta")],
        [start(), *text(0), delta(0, "text_delta", text=5)],
        [start(), *text(0), {"type": "content_block_delta", "index": 0}],
        [start(), *text(0, "\ud800"), *end()],
        [start(), block_start(0, {"type": "x", "value": float("nan")}), *end()],
    ],
)
def test_refuses_events_that_do_not_fit_together(events: list[Any]) -> None:
    with pytest.raises(MalformedMessage):
        assemble(events)


def split(value: str, cuts: list[int]) -> list[str]:
    places = sorted({min(cut, len(value)) for cut in cuts})
    return [value[a:b] for a, b in zip([0, *places], [*places, len(value)], strict=True)]


plain = st.text(st.characters(exclude_categories=["Cs"]))
inputs = st.dictionaries(
    plain, st.none() | st.integers() | plain | st.lists(st.booleans()), max_size=4
)


@given(value=inputs, words=plain, cuts=st.lists(st.integers(0, 60), max_size=5))
def test_the_cuts_do_not_matter(value: dict[str, Any], words: str, cuts: list[int]) -> None:
    events = [
        start(),
        *text(0, *split(words, cuts)),
        *tool(1, *split(json.dumps(value), cuts)),
        *end("tool_use"),
    ]
    content = assemble(events)["content"]
    assert content[0]["text"] == words
    assert content[1]["input"] == value


KINDS = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "text_delta",
]
WORDS = ["input_json_delta", "citations_delta", "tool_use", "text", "max_tokens", "{"]
KEYS = [
    "type",
    "index",
    "delta",
    "message",
    "content_block",
    "text",
    "partial_json",
    "usage",
    "stop_reason",
    "citation",
    "citations",
    "input",
    "content",
]

scraps = st.sampled_from([*KINDS, *WORDS, ""])
values = st.recursive(
    st.none() | st.integers(0, 2) | scraps,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
anything = st.one_of(
    values,
    st.builds(lambda message: {"type": "message_start", "message": message}, values),
    st.builds(lambda index, block: block_start(index, block), st.integers(0, 2), values),
    st.builds(
        lambda index, kind, value: delta(index, kind, text=value, partial_json=value),
        st.integers(0, 2),
        scraps,
        values,
    ),
    st.builds(lambda value: {"type": "message_delta", "delta": {"stop_reason": value}}, values),
)


@given(st.lists(anything, max_size=8))
def test_any_events_are_a_message_or_an_error_of_ours(events: list[Any]) -> None:
    try:
        message = assemble([start(), *events])
    except (MalformedMessage, TruncatedStream):
        return
    assert isinstance(message["content"], list)
    assert message["stop_reason"] is not None
