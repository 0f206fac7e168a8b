"""Conversations: opening them, sending messages, reading them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from pydantic_core import to_json
from starlette.responses import Response

from interlock.service.access import (
    ID_PATTERN,
    caller_of,
    conversation_id,
    open_runtime,
    runtime_of,
    who_asks,
)
from interlock.service.bodies import body_of, read_body
from interlock.service.customer_limits import CustomerLimits
from interlock.service.inputs import CustomerId, NewConversation, NewMessage
from interlock.service.openapi import problems
from interlock.service.ownership import claims_of, customer_of, require_own
from interlock.service.problems import request_id
from interlock.service.progress import stream_answer, wants_events
from interlock.service.schemas import (
    Answer,
    ConversationDetail,
    ConversationPage,
    ConversationSummary,
)
from interlock.service.views import answer_json, summary_fields, transcript, turn_view
from interlock.store.records import Conversation

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
    responses=problems(400, 404, 413, 415, 422, 429),
    openapi_extra=body_of(NewConversation),
)
async def create_conversation(request: Request) -> Response:
    """Opens a conversation between a customer and an agent."""
    runtime = open_runtime(request)
    body = await read_body(request, NewConversation)
    customer, session = customer_of(request, body, claims_of(request, body.token))
    settings = runtime.generation.snapshot.settings
    if customer is not None:
        _limits(request).open_conversation(customer, settings.customers)
    conversation = await runtime.create_conversation(
        body.agent, customer_id=customer, session=session, api_key=who_asks(request)
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
    """Conversations, newest first: all that the caller may read, or one customer's of them."""
    runtime = runtime_of(request)
    claims, caller = claims_of(request), caller_of(request)
    if claims is not None:
        if customer_id not in (None, claims.customer):
            return ConversationPage(conversations=[], next=None)
        customer_id = claims.customer
    foreign = claims is None and caller.role == "chat"
    found = await runtime.store.conversations(
        customer_id=customer_id,
        limit=limit + 1,
        before=before,
        api_key=caller.name if foreign else None,
        unclaimed=foreign and runtime.generation.snapshot.settings.auth.sessions is not None,
    )
    shown = [ConversationSummary(**summary_fields(conversation)) for conversation in found[:limit]]
    return ConversationPage(conversations=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/{id}", responses=problems(404, 422))
async def read_conversation(request: Request, id: str) -> ConversationDetail:
    """A conversation with its messages and turns."""
    store = runtime_of(request).store
    conversation = await store.conversation(conversation_id(id))
    turns = await store.turns(conversation.id)
    feedback = await store.people.feedback(conversation.id)
    return ConversationDetail(
        **summary_fields(conversation),
        messages=transcript(await store.messages(conversation.id)),
        turns=[turn_view(turn, feedback.get(turn.id)) for turn in turns],
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
    known = await require_own(request, conversation, claims_of(request, body.session))
    end = _begin_turn(request, known)
    if wants_events(",".join(request.headers.getlist("accept"))):
        try:
            # While a status can still say so.
            await runtime.check_open(conversation)
        except BaseException:
            end()
            raise
        return stream_answer(
            runtime,
            conversation,
            text=body.text,
            request_id=request_id(request.scope),
            on_end=end,
        )
    # A turn outlives whoever asked for it, and is theirs until it ends.
    sending = asyncio.create_task(runtime.send(conversation, body.text))
    sending.add_done_callback(lambda _: end())
    answered = await asyncio.shield(sending)
    return Response(to_json(answer_json(answered)), media_type="application/json")


def _begin_turn(request: Request, conversation: Conversation) -> Callable[[], None]:
    """Counts the turn for the customer, or for the conversation if nobody says whose it is."""
    customers = runtime_of(request).generation.snapshot.settings.customers
    whose = conversation.customer_id or conversation.id
    return _limits(request).begin_turn(whose, customers)


def _limits(request: Request) -> CustomerLimits:
    return cast(CustomerLimits, request.app.state.customer_limits)
