"""Whatever is sent, the simulator answers: it never fails with an exception of its own."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from interlock.sim import parse_rules
from interlock.sim.simulator import Simulator

RULES = parse_rules(
    b"""
rules:
  - name: look up
    when: {offered: [t], notCalled: [t], format: none}
    reply: {thinking: hm, tools: [{name: t, input: {q: '{{ user }}'}}]}
  - name: otherwise
    reply: {text: '{{ result("t") }} {{ called("t") }}'}
""",
    "sim.yaml",
)
HEADERS = [(b"x-api-key", b"k")]
VALID: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1000,
    "system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "t", "input_schema": {"type": "object"}, "description": "d"}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "adaptive"},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
    "output_config": {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"a": {"type": "array", "items": {"type": "string"}}},
            },
        },
    },
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "U"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "t", "input": {}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [{"type": "text", "text": "R"}],
                }
            ],
        },
        {"role": "system", "content": "S"},
    ],
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "text", "type", "user", "tool_use", "tool_result", "thinking", "auto"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "content", "role", "x"]), inner)
    ),
    max_leaves=8,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            found += places(item, (*at, key))
    return found


PLACES = places({**VALID, "cache_control": {"type": "ephemeral"}, "stream": True})


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), values, st.booleans())
def test_a_request_with_one_odd_value_is_answered(
    place: tuple[Any, ...], value: Any, is_stream: bool
) -> None:
    body = copy.deepcopy(VALID) | {"cache_control": {"type": "ephemeral"}, "stream": is_stream}
    holder: Any = body
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value

    answer = Simulator(RULES).answer_message(to_json(body), HEADERS)

    assert answer.status in (200, 400, 404)
    if answer.status != 200:
        assert from_json(answer.parts[0])["error"]["message"]


@settings(max_examples=200, deadline=None)
@given(st.binary() | values.map(to_json))
def test_any_body_is_answered(body: bytes) -> None:
    simulator = Simulator(RULES)

    assert simulator.answer_message(body, HEADERS).status == 400
    assert simulator.answer_count(body).status == 400


def test_the_request_that_is_varied_is_valid() -> None:
    assert Simulator(RULES).answer_message(to_json(VALID), HEADERS).status == 200
