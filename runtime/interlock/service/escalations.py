"""Escalations: what waits for a person, and what the person does about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from interlock.service.access import ID_PATTERN, escalation_id, open_runtime, person_of, runtime_of
from interlock.service.bodies import body_of, read_body
from interlock.service.openapi import problems
from interlock.service.people_schemas import (
    EscalationDetail,
    EscalationPage,
    EscalationView,
    NewHandBack,
    NewReply,
    NewResolution,
)
from interlock.service.people_views import escalation_view
from interlock.service.views import transcript
from interlock.store.people import by_urgency
from interlock.store.people_records import EscalationState

__all__ = ["router"]

router = APIRouter(prefix="/v1/escalations", tags=["people"])

_POST = problems(400, 404, 409, 413, 415, 422)


@router.get("", responses=problems(422))
async def list_escalations(
    request: Request,
    state: EscalationState | None = None,
    queue: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
) -> EscalationPage:
    """Escalations, newest first: all, or those of a state and of a queue."""
    found = await runtime_of(request).store.people.escalations(
        state=state, queue=queue, limit=limit + 1, before=before
    )
    now = datetime.now(UTC)
    shown = [escalation_view(each, now=now) for each in found[:limit]]
    return EscalationPage(escalations=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/inbox", responses=problems(422))
async def read_inbox(
    request: Request, queue: Annotated[str | None, Query(max_length=64)] = None
) -> EscalationPage:
    """All that is not closed, the most urgent first and then the oldest."""
    people = runtime_of(request).people
    await people.escalations.load()
    now = datetime.now(UTC)
    found = sorted(people.escalations.active, key=by_urgency)
    shown = [escalation_view(each, now=now) for each in found if queue in (None, each.queue)]
    return EscalationPage(escalations=shown, next=None)


@router.get("/{id}", responses=problems(404, 422))
async def read_escalation(request: Request, id: str) -> EscalationDetail:
    """An escalation with the whole conversation and the time that is left."""
    store = runtime_of(request).store
    found = await store.people.escalation(escalation_id(id))
    messages = transcript(await store.messages(found.conversation_id), notes=True)
    view = escalation_view(found, now=datetime.now(UTC))
    return EscalationDetail(**view.model_dump(), messages=messages)


@router.post("/{id}/claim", responses=problems(404, 409, 422))
async def claim_escalation(request: Request, id: str) -> EscalationView:
    """Gives it to the caller; 409 if somebody else has it. Whose it is already keeps it."""
    escalations = open_runtime(request).people.escalations
    claimed = await escalations.claim(escalation_id(id), who=person_of(request))
    return escalation_view(claimed, now=datetime.now(UTC))


@router.post("/{id}/reply", responses=_POST, openapi_extra=body_of(NewReply))
async def reply_to_customer(request: Request, id: str) -> EscalationView:
    """Writes to the customer, in the conversation. The caller has the escalation from then on."""
    escalations = open_runtime(request).people.escalations
    body = await read_body(request, NewReply)
    found = await escalations.reply(escalation_id(id), body.text, who=person_of(request))
    return escalation_view(found, now=datetime.now(UTC))


@router.post("/{id}/hand-back", responses=_POST, openapi_extra=body_of(NewHandBack))
async def hand_back(request: Request, id: str) -> EscalationView:
    """Lets the agent answer the customer's next message, knowing the note."""
    escalations = open_runtime(request).people.escalations
    body = await read_body(request, NewHandBack)
    found = await escalations.hand_back(escalation_id(id), body.note, who=person_of(request))
    return escalation_view(found, now=datetime.now(UTC))


@router.post("/{id}/close", responses=_POST, openapi_extra=body_of(NewResolution))
async def close_escalation(request: Request, id: str) -> EscalationView:
    """Ends it. What the customer writes later is the agent's again."""
    escalations = open_runtime(request).people.escalations
    body = await read_body(request, NewResolution)
    found = await escalations.close(escalation_id(id), body.resolution, who=person_of(request))
    return escalation_view(found, now=datetime.now(UTC))
