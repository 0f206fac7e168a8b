from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from interlock.service.schemas import (
    Answer,
    ConversationDetail,
    ConversationPage,
    ConversationSummary,
)
from tests.unit.service.fakes import CONVERSATION, RESULT, RUNNING, TURN, FakeRuntime

MESSAGES = "/v1/conversations/conv_1/messages"


async def test_opening_a_conversation_says_where_it_is(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    body = {"agent": "support", "customerId": " C-1 ", "session": {"plan": "gold", "n": [1]}}
    answer = await client.post("/v1/conversations", json=body)
    assert answer.status_code == 201
    assert answer.headers["location"] == "/v1/conversations/conv_1"
    assert runtime.opened == [("support", "C-1", {"plan": "gold", "n": [1]})]
    opened = ConversationSummary.model_validate_json(answer.content)
    assert (opened.id, opened.agent, opened.customer_id) == ("conv_1", "support", "C-1")
    assert "very-secret" not in answer.text


async def test_a_message_is_answered_with_the_result_of_its_turn(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    answer = await client.post(MESSAGES, json={"text": "  Where is it? "})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert runtime.sent == [("conv_1", "Where is it?")]
    assert answer.json() == {
        "turnId": "turn_1",
        "conversationId": "conv_1",
        "outcome": "resolved",
        "reply": "It was shipped.",
        "reason": "end_turn",
        "iterations": 1,
        "modelCalls": 2,
        "toolCalls": 1,
        "tokens": 1200,
        "costUsd": "0.001234",
        "unpricedCalls": 0,
        "escalation": None,
        "snapshot": "d" * 64,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cost_nano": 0, "unpriced_calls": 2},
        {
            "outcome": "escalated",
            "escalation": {
                "queue": "humans",
                "reason": "repetition",
                "detail": None,
                "summary": "The customer wrote: hi",
                "lastToolCall": {"tool": "get_order", "input": {}},
            },
        },
    ],
)
async def test_an_answer_is_what_the_api_describes(
    client: httpx2.AsyncClient, runtime: FakeRuntime, changes: dict[str, Any]
) -> None:
    runtime.result = replace(RESULT, **changes)
    answer = await client.post(MESSAGES, json={"text": "hi"})
    described = Answer.model_validate_json(answer.content)
    assert described.model_dump(by_alias=True, mode="json") == answer.json()


async def test_an_unknown_price_is_null_and_counted(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.result = replace(RESULT, cost_nano=0, unpriced_calls=2)
    answer = (await client.post(MESSAGES, json={"text": "hi"})).json()
    assert (answer["costUsd"], answer["unpricedCalls"]) == (None, 2)


async def test_a_conversation_shows_its_messages_and_turns(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.store.kept_turns = [TURN, RUNNING]
    answer = await client.get("/v1/conversations/conv_1")
    assert answer.status_code == 200
    assert "very-secret" not in answer.text
    shown = ConversationDetail.model_validate_json(answer.content)
    assert [(message.role, message.text) for message in shown.messages] == [
        ("customer", "Where is it?"),
        ("agent", "It was shipped."),
        ("customer", "Where is it?"),
    ]
    ended, running = shown.turns
    assert (ended.outcome, ended.cost_usd, ended.tokens) == ("resolved", "0.001234", 1200)
    assert (running.state, running.outcome, running.cost_usd) == ("running", None, None)
    assert (running.tokens, running.ended_at) == (None, None)
    assert (shown.tokens, shown.cost_usd, shown.unpriced_calls) == (1200, "0.001234", 0)
    assert answer.json()["createdAt"] == "2026-11-22T12:30:00Z"


async def test_a_page_of_conversations_says_how_to_get_the_next(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.store.known = [replace(CONVERSATION, id=f"conv_{n}") for n in (5, 4, 3)]
    answer = await client.get("/v1/conversations?customerId=C-1&limit=2&before=conv_9")
    page = ConversationPage.model_validate_json(answer.content)
    assert [each.id for each in page.conversations] == ["conv_5", "conv_4"]
    assert page.next == "conv_4"
    assert runtime.store.asked == [{"customer_id": "C-1", "limit": 3, "before": "conv_9"}]


async def test_the_last_page_says_so(client: httpx2.AsyncClient) -> None:
    page = (await client.get("/v1/conversations")).json()
    assert (len(page["conversations"]), page["next"]) == (1, None)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "before=a%00", "before=", "customerId="]
)
async def test_senseless_parameters_are_refused(client: httpx2.AsyncClient, query: str) -> None:
    assert (await client.get(f"/v1/conversations?{query}")).status_code == 422
