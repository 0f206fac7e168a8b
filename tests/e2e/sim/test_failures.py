"""What the real SDK makes of the simulator's errors and faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

Connect = Callable[[str], AbstractAsyncContextManager[AsyncAnthropic]]

HELLO: Any = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": "Hello"}],
}
TOOL = {"name": "t", "input_schema": {"type": "object"}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "{}"}
OK = "rules: [{name: ok, reply: {text: Hi}}]"


def failing(answer: str) -> str:
    return f"rules: [{{name: broken, {answer}}}]"


async def streamed(client: AsyncAnthropic) -> Any:
    async with client.messages.stream(**HELLO) as stream:
        return await stream.get_final_message()


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (402, "billing_error", anthropic.PaymentRequiredError),
        (403, "permission_error", anthropic.PermissionDeniedError),
        (404, "not_found_error", anthropic.NotFoundError),
        (408, "invalid_request_error", anthropic.RequestTimeoutError),
        (409, "conflict_error", anthropic.ConflictError),
        (413, "request_too_large", anthropic.ContentTooLargeError),
        (422, "invalid_request_error", anthropic.UnprocessableEntityError),
        (429, "rate_limit_error", anthropic.RateLimitError),
        (500, "api_error", anthropic.InternalServerError),
        (503, "api_error", anthropic.ServiceUnavailableError),
        (504, "timeout_error", anthropic.GatewayTimeoutError),
        (529, "overloaded_error", anthropic.OverloadedError),
    ],
)
async def test_each_status_is_the_sdks_own_error(
    connect: Connect, status: int, kind: str, error: type[anthropic.APIStatusError]
) -> None:
    rules = failing(f"error: {{status: {status}, message: As declared, retryAfter: 3}}")

    async with connect(rules) as client:
        with pytest.raises(error) as caught:
            await client.messages.create(**HELLO)
        with pytest.raises(error):
            await streamed(client)

    assert type(caught.value) is error
    assert caught.value.type == kind
    assert caught.value.api_message == "As declared"
    assert caught.value.request_id == caught.value.response.headers["request-id"]
    assert caught.value.response.headers["retry-after"] == "3"


async def test_drop_is_a_connection_error(connect: Connect) -> None:
    async with connect(failing("fault: drop")) as client:
        for request in (client.messages.create(**HELLO), streamed(client)):
            with pytest.raises(anthropic.APIConnectionError):
                await request


async def test_hang_is_a_timeout(connect: Connect) -> None:
    async with connect(failing("fault: hang")) as client:
        impatient = client.with_options(timeout=0.1)
        for request in (impatient.messages.create(**HELLO), streamed(impatient)):
            with pytest.raises(anthropic.APITimeoutError):
                await request


async def test_a_truncated_stream_raises_nothing(connect: Connect) -> None:
    async with connect(failing("fault: truncate")) as client:
        message = await streamed(client)

    assert message.stop_reason is None
    assert message.content[0].text.startswith("This reply is broken on purpose")


@pytest.mark.parametrize("fault", ["truncate", "disconnect"])
async def test_a_truncated_body_is_a_connection_error(connect: Connect, fault: str) -> None:
    async with connect(failing(f"fault: {fault}")) as client:
        with pytest.raises(anthropic.APIConnectionError):
            await client.messages.create(**HELLO)


async def test_a_disconnect_in_a_stream_is_a_transport_error(connect: Connect) -> None:
    async with connect(failing("fault: disconnect")) as client:
        with pytest.raises(httpx2.TransportError) as caught:
            await streamed(client)

    assert isinstance(caught.value, httpx2.RemoteProtocolError | httpx2.ReadError)


async def test_malformed_json_is_a_decoding_error(connect: Connect) -> None:
    async with connect(failing("fault: malformed")) as client:
        for request in (client.messages.create(**HELLO), streamed(client)):
            with pytest.raises(json.JSONDecodeError):
                await request


async def test_an_error_event_is_an_api_error_with_status_200(connect: Connect) -> None:
    async with connect(failing("fault: streamError")) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await streamed(client)
        with pytest.raises(anthropic.OverloadedError):
            await client.messages.create(**HELLO)

    assert type(caught.value) is anthropic.APIStatusError
    assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")


async def test_a_connection_that_was_closed_does_not_harm_the_next_request(
    connect: Connect,
) -> None:
    rules = """
    rules:
      - {name: broken, when: {times: 3}, fault: disconnect}
      - {name: ok, reply: {text: Hi}}
    """

    async with connect(rules) as client:
        for _ in range(3):
            with pytest.raises(anthropic.APIConnectionError):
                await client.messages.create(**HELLO)
        message = await client.messages.create(**HELLO)

    assert message.stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 200_000}, "maximum allowed number of output tokens"),
        ({"messages": []}, "at least one message is required"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "first message must use"),
        ({"messages": [{"role": "system", "content": "a"}]}, "must follow a 'user' message"),
        ({"messages": [*HELLO["messages"], {"role": "assistant", "content": "a"}]}, "prefill"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "non-empty"),
        ({"messages": [{"role": "user", "content": [RESULT]}], "tools": [TOOL]}, "unexpected"),
        (
            {
                "messages": [
                    *HELLO["messages"],
                    {"role": "assistant", "content": [CALL]},
                    {"role": "user", "content": "a"},
                ],
                "tools": [TOOL],
            },
            "without `tool_result` blocks",
        ),
        (
            {
                "messages": [
                    *HELLO["messages"],
                    {"role": "assistant", "content": [CALL]},
                    {"role": "user", "content": [{"type": "text", "text": "a"}, RESULT]},
                ],
                "tools": [TOOL],
            },
            "must come first",
        ),
        (
            {
                "messages": [
                    *HELLO["messages"],
                    {"role": "assistant", "content": [CALL]},
                    {"role": "user", "content": [RESULT]},
                ]
            },
            "must define tools",
        ),
        ({"tools": [TOOL, TOOL]}, "Tool names must be unique"),
        ({"tools": [{**TOOL, "name": "a.b"}]}, "String should match pattern"),
        ({"tools": [TOOL], "tool_choice": {"type": "any"}}, "forces tool use"),
        ({"extra_body": {"temperature": 1}}, "sampling parameters"),
        ({"extra_body": {"top_p": 1}}, "sampling parameters"),
        ({"extra_body": {"top_k": 1}}, "sampling parameters"),
        ({"extra_body": {"tempo": 1}}, "Extra inputs are not permitted"),
        ({"thinking": {"type": "disabled"}}, "not supported for this model"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            "'additionalProperties' must be explicitly set to false",
        ),
        (
            {
                "system": [
                    {"type": "text", "text": str(number), "cache_control": {"type": "ephemeral"}}
                    for number in range(5)
                ]
            },
            "A maximum of 4 blocks with cache_control",
        ),
    ],
)
async def test_a_bad_request_is_refused_as_by_the_api(
    connect: Connect, changes: Any, message: str
) -> None:
    async with connect(OK) as client:
        with pytest.raises(anthropic.BadRequestError) as caught:
            await client.messages.create(**{**HELLO, **changes})

    assert caught.value.type == "invalid_request_error"
    assert message in (caught.value.api_message or "")


async def test_an_unknown_model_is_not_found(connect: Connect) -> None:
    async with connect(OK) as client:
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.create(**{**HELLO, "model": "gpt-9"})
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve("gpt-9")
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.count_tokens(model="claude-haiku-5-5", messages=[])


async def test_a_missing_key_is_not_let_in(connect: Connect) -> None:
    async with connect(OK) as client:
        keyless: Any = {"extra_headers": {"Authorization": anthropic.Omit()}}
        with pytest.raises(anthropic.AuthenticationError):
            await client.messages.create(**HELLO, **keyless)


# aiohttp, the client, warns of any body above 1 MB.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_body_above_32_megabytes_is_too_large(connect: Connect) -> None:
    huge = {**HELLO, "messages": [{"role": "user", "content": "x" * 33 * 1024 * 1024}]}

    async with connect(OK) as client:
        with pytest.raises(anthropic.ContentTooLargeError) as caught:
            await client.messages.create(**huge)

    assert str(caught.value.type) == "request_too_large"


async def test_a_request_without_a_rule_is_refused_with_its_traits(connect: Connect) -> None:
    async with connect("rules: []") as client:
        with pytest.raises(anthropic.BadRequestError, match="user: 'Hello'; offered: \\[\\]"):
            await client.messages.create(**HELLO)
