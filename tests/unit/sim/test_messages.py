from __future__ import annotations

from typing import Any

import pytest

from interlock.sim.errors import ApiError
from interlock.sim.messages import read_messages
from interlock.sim.models import ModelTraits, find_model


def traits(model: str) -> ModelTraits:
    found = find_model(model, any_model=False)
    assert found is not None
    return found


SONNET = traits("claude-sonnet-5-5")


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*content] or "Hello"}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [*content] or "Hello"}


def system(text: str = "Be brief.") -> dict[str, Any]:
    return {"role": "system", "content": text}


def text(value: str = "Hello") -> dict[str, Any]:
    return {"type": "text", "text": value}


def call(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": "t", "input": {}, **changes}


def result(number: int = 1, **changes: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "{}"}
    return {**block, **changes}


def read(messages: Any, *, model: ModelTraits = SONNET, has_tools: bool = True) -> list[str]:
    return [message.role for message in read_messages(messages, model, has_tools=has_tools)]


def refusal(messages: Any, **options: Any) -> str:
    with pytest.raises(ApiError) as caught:
        read(messages, **options)
    assert caught.value.status == 400
    return caught.value.message


@pytest.mark.parametrize(
    "messages",
    [
        [user()],
        [user(), assistant(), user()],
        # The API joins consecutive messages of one role into one turn.
        [user(), user(), assistant(), assistant(), user()],
        [user(), system()],
        [user(), system(), assistant(), user()],
        [user(), assistant(call()), user(result())],
        [user(), assistant(text(), call(1), call(2)), user(result(2), result(1), text())],
        [user(), assistant(call(1), call(2)), user(result(1)), user(result(2))],
        [user(), assistant(call(1)), assistant(call(2)), user(result(1), result(2))],
        [user(), assistant(call()), user(result()), system(), assistant(), user()],
        [user(), assistant(call()), user(result(content=[text("a")], is_error=True))],
        [user(), assistant(call()), user(result(content=""))],
        [user(), assistant(call()), user({"type": "tool_result", "tool_use_id": "toolu_1"})],
        [user(text(), {"type": "image", "source": {}})],
        # A paused turn is sent back unchanged.
        [user(), assistant({"type": "server_tool_use", "id": "s", "name": "w", "input": {}})],
    ],
)
def test_a_conversation_in_order_is_accepted(messages: list[Any]) -> None:
    assert read(messages) == [message["role"] for message in messages]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ({}, "messages: Input should be a valid list"),
        ([], "messages: at least one message is required"),
        ([5], "messages.0: Input should be an object"),
        ([{"role": "user"}], "messages.0.content: Field required"),
        ([{"content": "a"}], "messages.0.role: Field required"),
        ([{**user(), "name": "x"}], "messages.0.name: Extra inputs are not permitted"),
        ([{"role": "tool", "content": "a"}], "messages.0.role: Input should be"),
        ([{"role": "user", "content": 5}], "messages.0.content: Input should be a valid string"),
        ([{"role": "user", "content": ""}], "all messages must have non-empty content"),
        ([{"role": "user", "content": []}], "all messages must have non-empty content"),
        ([user(5)], "messages.0.content.0: Input should be an object"),
        ([user({"text": "a"})], "messages.0.content.0.type: Field required"),
        ([user(text(""))], "messages.0.content.0: text content blocks must be non-empty"),
        ([user(text(" \n"))], "text content blocks must contain non-whitespace text"),
        ([user({"type": "text"})], "messages.0.content.0.text.text: Input should be"),
        ([user({**text(), "id": 1})], "messages.0.content.0.text.id: Extra inputs"),
        ([user({**text(), "citations": [{}]})], "citations are not permitted in user messages"),
        ([user({"type": "magic"})], "Input tag 'magic' found using 'type'"),
        ([user({**text(), "cache_control": 1})], "messages.0.content.0.cache_control.type"),
        ([user(call())], "`tool_use` blocks are not allowed in user messages"),
        ([user(), assistant(result())], "`tool_result` blocks are not allowed in assistant"),
        ([user(), assistant({"type": "document"})], "`document` blocks are not allowed in assist"),
        ([user(), {"role": "system", "content": [call()]}], "not allowed in system messages"),
        ([assistant(), user()], 'messages.0: first message must use the "user" role'),
        ([system(), user()], "messages.0: role 'system' must follow a 'user' message"),
        ([user(), assistant(), system()], "messages.2: role 'system' must follow a 'user'"),
        ([user(), system(), system()], "messages.2: role 'system' must follow a 'user'"),
        (
            [user(), system(), user()],
            "messages.1: role 'system' must precede an 'assistant' message or end the array",
        ),
        ([user(), assistant()], "This model does not support assistant message prefill"),
        ([user(), assistant(call())], "`tool_use` ids were found without `tool_result` blocks"),
        ([user(), assistant(call()), user()], "messages.1: `tool_use` ids were found without"),
        (
            [user(), assistant(call(1), call(2)), user(result(1))],
            "without `tool_result` blocks immediately after: toolu_2",
        ),
        (
            [user(), assistant(call(1), call(2)), user(result(1)), system(), assistant()],
            "immediately after: toolu_2",
        ),
        (
            [user(), assistant(call()), user(), assistant(), user(result())],
            "messages.1: `tool_use` ids were found without",
        ),
        ([user(result())], "messages.0.content.0: unexpected `tool_use_id` found"),
        (
            [user(), assistant(call()), user(result()), assistant(), user(result())],
            "messages.4.content.0: unexpected `tool_use_id` found",
        ),
        (
            [user(), assistant(call()), user(result(), result())],
            "messages.2.content.1: each tool_use must have a single result",
        ),
        (
            [user(), assistant(call()), user(text(), result())],
            "messages.2.content.1: `tool_result` blocks must come first",
        ),
        (
            [user(), assistant(call(1), call(2)), user(result(1), text()), user(result(2))],
            "messages.3.content.0: `tool_result` blocks must come first",
        ),
        (
            [user(), assistant(call()), user(result()), assistant(call()), user(result())],
            "`tool_use` ids must be unique",
        ),
        ([user(), assistant(call(id="a b"))], "messages.1.content.0.tool_use.id: String should"),
        ([user(), assistant(call(id=5))], "messages.1.content.0.tool_use.id: Input should"),
        ([user(), assistant(call(input="{}"))], "messages.1.content.0.tool_use.input: "),
        ([user(), assistant(call(x=1))], "messages.1.content.0.tool_use.x: Extra inputs"),
        ([user(result(is_error="no"))], "messages.0.content.0.tool_result.is_error: "),
        ([user(result(content=[call()]))], "`tool_use` blocks are not allowed here"),
        (
            [user(result(content=[text("")]))],
            "tool_result.content.0: text content blocks must be non-empty",
        ),
        ([user({"type": "tool_result"})], "tool_result.tool_use_id: Field required"),
        (
            [user(), assistant({"type": "thinking", "thinking": "x"}), user()],
            "messages.1.content.0.thinking.signature: Field required",
        ),
        (
            [user(), assistant({"type": "redacted_thinking"}), user()],
            "messages.1.content.0.redacted_thinking.data: Field required",
        ),
    ],
)
def test_a_conversation_out_of_order_is_refused(messages: Any, expected: str) -> None:
    assert expected in refusal(messages)


def test_tool_calls_need_tools() -> None:
    messages = [user(), assistant(call()), user(result())]

    assert "must define tools" in refusal(messages, has_tools=False)


def test_older_models_take_a_prefill_and_no_system_messages() -> None:
    haiku = traits("claude-haiku-4-5")

    assert read([user(), assistant()], model=haiku) == ["user", "assistant"]
    assert read([user(), {"role": "assistant", "content": ""}], model=haiku)
    assert "role 'system' is not supported" in refusal([user(), system()], model=haiku)
