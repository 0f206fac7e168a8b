"""Approvals: the tool calls that wait for a person, and the decisions on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from interlock.service.access import ID_PATTERN, approval_id, open_runtime, person_of, runtime_of
from interlock.service.bodies import body_of, read_body
from interlock.service.openapi import problems
from interlock.service.people_schemas import (
    ApprovalPage,
    ApprovalView,
    NewAnswer,
    NewDenial,
    NewEdit,
)
from interlock.service.people_views import approval_view
from interlock.store.people_records import Approval, ApprovalState

__all__ = ["router"]

router = APIRouter(prefix="/v1/approvals", tags=["people"])

_POST = problems(400, 404, 409, 413, 415, 422)


@router.get("", responses=problems(422))
async def list_approvals(
    request: Request,
    state: ApprovalState | None = None,
    conversation: Annotated[str | None, Query(alias="conversationId", pattern=ID_PATTERN)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
) -> ApprovalPage:
    """Approvals, newest first: all, or those of a state and of a conversation."""
    found = await runtime_of(request).store.people.approvals(
        state=state, conversation_id=conversation, limit=limit + 1, before=before
    )
    now = datetime.now(UTC)
    shown = [approval_view(each, now=now) for each in found[:limit]]
    return ApprovalPage(approvals=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/{id}", responses=problems(404, 422))
async def read_approval(request: Request, id: str) -> ApprovalView:
    """One approval: the exact call, who it is for, and what became of it."""
    return _view(await runtime_of(request).store.people.approval(approval_id(id)))


@router.post("/{id}/approve", responses=problems(404, 409, 422))
async def approve(request: Request, id: str) -> ApprovalView:
    """Says yes: exactly this call is carried out, once, and the customer hears of it."""
    approvals = open_runtime(request).people.approvals
    return _view(await approvals.approve(approval_id(id), who=person_of(request)))


@router.post("/{id}/edit", responses=_POST, openapi_extra=body_of(NewEdit))
async def edit(request: Request, id: str) -> ApprovalView:
    """Says yes to another input, which is checked by the tool's schema first."""
    approvals = open_runtime(request).people.approvals
    body = await read_body(request, NewEdit)
    found = await approvals.edit(approval_id(id), dict(body.input), who=person_of(request))
    return _view(found)


@router.post("/{id}/deny", responses=_POST, openapi_extra=body_of(NewDenial))
async def deny(request: Request, id: str) -> ApprovalView:
    """Says no: nothing is carried out, and the customer hears of it."""
    approvals = open_runtime(request).people.approvals
    body = await read_body(request, NewDenial)
    return _view(await approvals.deny(approval_id(id), body.reason, who=person_of(request)))


@router.post("/{id}/answer", responses=_POST, openapi_extra=body_of(NewAnswer))
async def answer(request: Request, id: str) -> ApprovalView:
    """Gives the result in the tool's place; nothing is carried out."""
    approvals = open_runtime(request).people.approvals
    body = await read_body(request, NewAnswer)
    found = await approvals.answer(
        approval_id(id), body.result, body.reason, who=person_of(request)
    )
    return _view(found)


def _view(found: Approval) -> ApprovalView:
    return approval_view(found, now=datetime.now(UTC))
