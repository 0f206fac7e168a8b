"""Ending a canary before its time: for all, or for none."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from interlock.service.access import open_runtime, supervisor_of, who_asks
from interlock.service.bodies import body_of, read_body
from interlock.service.config_schemas import EndCanary, EndedCanary
from interlock.service.openapi import problems
from interlock.service.reload import etag

__all__ = ["router"]

router = APIRouter(prefix="/v1/config/canary", tags=["configuration"])


@router.post(
    "/{verdict}",
    responses=problems(400, 409, 413, 415, 422, 503),
    openapi_extra=body_of(EndCanary),
)
async def end_canary(
    request: Request, response: Response, verdict: Literal["promote", "abort"]
) -> EndedCanary:
    """Makes the configuration that is being tried the active one, or stops trying it.

    409 means that none is being tried, `no_canary`.
    """
    open_runtime(request)
    body = await read_body(request, EndCanary)
    outcome = await supervisor_of(request).end_canary(
        promote=verdict == "promote", who=who_asks(request), why=body.why
    )
    response.headers["etag"] = etag(outcome.active)
    return EndedCanary(
        status="applied" if outcome.status == "applied" else "rejected",
        generation=outcome.generation,
        digest=outcome.active,
        canary=outcome.digest,
    )
