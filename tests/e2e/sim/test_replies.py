"""What the real SDK makes of the simulator's replies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from anthropic import AsyncAnthropic, BadRequestError
from pydantic import BaseModel

Connect = Callable[[str], AbstractAsyncContextManager[AsyncAnthropic]]

SHOP = r"""
rules:
  - name: plan
    when: {format: plan, user: '(?P<order_id>ORD-\d+)'}
    reply: {json: {goal: 'Find {{ match.order_id }}', steps: 2}}
  - name: look up
    when:
      user: '(?P<order_id>ORD-\d+)'
      offered: [get_order_status]
      notCalled: [get_order_status]
    reply:
      thinking: I should look.
      text: One moment.
      tools: [{name: get_order_status, input: {order_id: '{{ match.order_id }}', days: '{{ 3 }}'}}]
  - name: answer
    when: {results: {get_order_status: '"status": ?"success"'}}
    reply: {text: 'It is {{ result("get_order_status").data.status }}.'}
  - name: refuse
    when: {user: hack}
    reply: {text: No., stopReason: refusal, refusalCategory: cyber}
  - name: empty
    when: {user: empty}
    reply: {content: []}
  - name: otherwise
    reply: {text: 'You said {{ user }}. ÄÖ€ 🎁'}
"""
TOOLS: Any = [
    {
        "name": "get_order_status",
        "description": "The status of an order.",
        "input_schema": {"type": "object", "properties": {"order_id": {"type": "string"}}},
    }
]


class Plan(BaseModel):
    goal: str
    steps: int


def ask(text: str, **fields: Any) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
        **fields,
    }


async def test_a_plain_reply(connect: Connect) -> None:
    async with connect(SHOP) as client:
        raw = await client.messages.with_raw_response.create(**ask("Hello"))
        message = await raw.parse()

    assert message.content[0].type == "text"
    assert message.content[0].text == "You said Hello. ÄÖ€ 🎁"
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0
    assert message._request_id is not None
    assert message._request_id == raw.headers["request-id"]
    assert raw.headers["x-interlock-simulator"] == "true"


async def test_a_streamed_reply_is_the_same_reply(connect: Connect) -> None:
    async with connect(SHOP) as client:
        plain = await client.messages.create(**ask("Hello"))
        async with client.messages.stream(**ask("Hello")) as stream:
            texts = [text async for text in stream.text_stream]
            message = await stream.get_final_message()

    assert plain.content[0].type == "text"
    assert "".join(texts) == plain.content[0].text
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == plain.usage.output_tokens
    assert message.usage.input_tokens == plain.usage.input_tokens
    assert stream.request_id is not None


async def test_raw_events_come_in_the_api_order(connect: Connect) -> None:
    async with connect(SHOP) as client:
        stream = await client.messages.create(**ask("Hello"), stream=True)
        kinds = [event.type async for event in stream]

    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_tool_round_trip_with_replayed_thinking(connect: Connect, is_stream: bool) -> None:
    request = ask("Where is ORD-7?", tools=TOOLS, system="Be kind.")

    async with connect(SHOP) as client:
        if is_stream:
            async with client.messages.stream(**request) as stream:
                first: Any = await stream.get_final_message()
        else:
            first = await client.messages.create(**request)
        thinking, text, call = first.content
        result = {"status": "success", "data": {"status": "shipped"}}
        request["messages"] += [
            {
                "role": "assistant",
                "content": [
                    thinking.model_dump(),
                    {"type": "text", "text": text.text},
                    {"type": "tool_use", "id": call.id, "name": call.name, "input": call.input},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": call.id,
                        "content": json.dumps(result),
                    },
                    {"type": "text", "text": "Current step: answer the customer."},
                ],
            },
        ]
        second = await client.messages.create(**request)
        with pytest.raises(BadRequestError, match="bound to a different conversation"):
            await client.messages.create(**{**request, "system": "Be unkind."})

    assert (thinking.type, thinking.thinking) == ("thinking", "")
    assert thinking.signature
    assert call.input == {"order_id": "ORD-7", "days": 3}
    assert first.stop_reason == "tool_use"
    assert second.content[0].type == "text"
    assert second.content[0].text == "It is shipped."


async def test_structured_output_is_parsed_by_the_sdk(connect: Connect) -> None:
    async with connect(SHOP) as client:
        parsed = await client.messages.parse(
            model="claude-haiku-5-5",
            max_tokens=1000,
            messages=[{"role": "user", "content": "Where is ORD-7?"}],
            output_format=Plan,
        )

    assert parsed.parsed_output == Plan(goal="Find ORD-7", steps=2)


async def test_a_refusal_has_its_details(connect: Connect) -> None:
    async with connect(SHOP) as client:
        plain = await client.messages.create(**ask("hack"))
        async with client.messages.stream(**ask("hack")) as stream:
            streamed = await stream.get_final_message()

    for message in (plain, streamed):
        assert message.stop_reason == "refusal"
        assert message.stop_details is not None
        assert message.stop_details.category == "cyber"


async def test_an_empty_reply(connect: Connect) -> None:
    async with connect(SHOP) as client:
        plain = await client.messages.create(**ask("empty"))
        async with client.messages.stream(**ask("empty")) as stream:
            streamed = await stream.get_final_message()

    assert plain.content == []
    assert streamed.content == []


async def test_a_second_request_reads_the_cache(connect: Connect) -> None:
    request = ask("Hello", system="Be kind. " * 400, cache_control={"type": "ephemeral"})

    async with connect(SHOP) as client:
        first = await client.messages.create(**request)
        second = await client.messages.create(**request)

    assert first.usage.cache_creation is not None
    assert first.usage.cache_creation.ephemeral_5m_input_tokens > 800
    assert first.usage.cache_read_input_tokens == 0
    assert second.usage.cache_read_input_tokens == first.usage.cache_creation_input_tokens


async def test_counting_tokens_agrees_with_usage(connect: Connect) -> None:
    request = ask("Where is my parcel?", system="Be kind.", tools=TOOLS)

    async with connect(SHOP) as client:
        message = await client.messages.create(**request)
        del request["max_tokens"]
        counted = await client.messages.count_tokens(**request)

    assert counted.input_tokens == message.usage.input_tokens


async def test_models_are_listed_and_retrieved(connect: Connect) -> None:
    async with connect(SHOP) as client:
        listed = [model.id async for model in client.models.list()]
        model = await client.models.retrieve("claude-haiku-5-5")

    assert "claude-sonnet-5-5" in listed
    assert model.max_tokens == 128_000
    assert model.lifecycle == "active"
    assert model.capabilities is not None
    assert model.capabilities.structured_outputs.supported


async def test_many_requests_at_once_get_their_own_replies(connect: Connect) -> None:
    async with connect(f"latency: 5ms\n{SHOP}") as client:
        messages = await asyncio.gather(
            *(client.messages.create(**ask(f"caller {number}")) for number in range(50))
        )

    texts = [
        block.text for message in messages for block in message.content if block.type == "text"
    ]
    assert texts == [f"You said caller {number}. ÄÖ€ 🎁" for number in range(50)]
    assert len({message.id for message in messages}) == 50
