"""Conversations: opening them, sending messages, reading them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic_core import to_json
from starlette.responses import Response

from interlock.service.access import ID_PATTERN, conversation_id, open_runtime, runtime_of
from interlock.service.bodies import body_of, read_body
from interlock.service.inputs import CustomerId, NewConversation, NewMessage
from interlock.service.openapi import problems
from interlock.service.problems import request_id
from interlock.service.progress import stream_answer, wants_events
from interlock.service.schemas import (
    Answer,
    ConversationDetail,
    ConversationPage,
    ConversationSummary,
)
from interlock.service.views import answer_json, summary_fields, transcript, turn_view

__all__ = ["router"]

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

_EVENTS = {
    "description": "How the turn ended; with `Accept: text/event-stream`, also its progress.",
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "string",
                "description": (
                    "One event for each trace event, named by its type; `missed` with a count "
                    "when the reader was too slow; at the end `answer` with the Answer, "
                    "or `error` with a Problem."
                ),
            }
        }
    },
}


@router.post(
    "",
    status_code=201,
    response_model=ConversationSummary,
    response_description="The conversation; `Location` is where it is read.",
    responses=problems(400, 404, 413, 415, 422),
    openapi_extra=body_of(NewConversation),
)
async def create_conversation(request: Request) -> Response:
    """Opens a conversation between a customer and an agent."""
    runtime = open_runtime(request)
    body = await read_body(request, NewConversation)
    conversation = await runtime.create_conversation(
        body.agent, customer_id=body.customer_id, session=dict(body.session)
    )
    summary = ConversationSummary(**summary_fields(conversation))
    return Response(
        summary.model_dump_json(by_alias=True),
        status_code=201,
        headers={"location": f"/v1/conversations/{conversation.id}"},
        media_type="application/json",
    )


@router.get("", responses=problems(422))
async def list_conversations(
    request: Request,
    customer_id: Annotated[CustomerId | None, Query(alias="customerId")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
) -> ConversationPage:
    """Conversations, newest first: all, or one customer's."""
    found = await runtime_of(request).store.conversations(
        customer_id=customer_id, limit=limit + 1, before=before
    )
    shown = [ConversationSummary(**summary_fields(conversation)) for conversation in found[:limit]]
    return ConversationPage(conversations=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/{id}", responses=problems(404, 422))
async def read_conversation(request: Request, id: str) -> ConversationDetail:
    """A conversation with its messages and turns."""
    store = runtime_of(request).store
    conversation = await store.conversation(conversation_id(id))
    turns = await store.turns(conversation.id)
    return ConversationDetail(
        **summary_fields(conversation),
        messages=transcript(turns),
        turns=[turn_view(turn) for turn in turns],
    )


@router.post(
    "/{id}/messages",
    response_model=Answer,
    responses={200: _EVENTS, **problems(400, 404, 413, 415, 422, 429)},
    openapi_extra=body_of(NewMessage),
)
async def send_message(request: Request, id: str) -> Response:
    """Sends a customer's message and waits for the answer.

    A message that is sent while a turn is running waits for its turn. The turn goes on when the
    client leaves; the conversation then shows how it ended.
    """
    runtime = open_runtime(request)
    conversation = conversation_id(id)
    body = await read_body(request, NewMessage)
    if wants_events(",".join(request.headers.getlist("accept"))):
        return await stream_answer(
            runtime, conversation, text=body.text, request_id=request_id(request.scope)
        )
    answered = await runtime.send(conversation, body.text)
    return Response(to_json(answer_json(answered)), media_type="application/json")
