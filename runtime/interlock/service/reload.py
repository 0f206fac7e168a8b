"""Making the files the active configuration, and giving out the one that is."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from interlock.reload.outcome import ReloadOutcome
from interlock.service.access import open_runtime, supervisor_of, who_asks
from interlock.service.bodies import body_of, read_body
from interlock.service.config_schemas import NewReload, Reloaded, SnapshotView
from interlock.service.config_views import finding_json, reloaded_view
from interlock.service.openapi import problems
from interlock.service.problems import ApiError

__all__ = ["etag", "expected_digest", "rejection_problem", "router"]

router = APIRouter(prefix="/v1/config", tags=["configuration"])

_STATUS = {"stale_precondition": 412, "store": 503}
"""By reason; every other one is 409."""

IfMatch = Annotated[
    str | None,
    Header(description='The digest that must be the active one, as in "DIGEST"; * for any.'),
]


@router.post(
    "/reload",
    response_model=Reloaded,
    responses=problems(400, 409, 412, 413, 415, 422, 503),
    openapi_extra=body_of(NewReload),
)
async def reload(request: Request, response: Response, if_match: IfMatch = None) -> Reloaded:
    """Reads the files and makes them the active configuration, if they are valid.

    The answer comes when it is known. 409 means that nothing has changed; `findings` say why.
    """
    open_runtime(request)
    body = await read_body(request, NewReload)
    outcome = await supervisor_of(request).reload(
        "api",
        who=who_asks(request),
        why=body.why,
        if_match=expected_digest(if_match),
        allow_removals=body.allow_removals,
        skip_canary=body.skip_canary,
    )
    if outcome.status == "rejected":
        raise rejection_problem(outcome)
    response.headers["etag"] = etag(outcome.active)
    return reloaded_view(outcome)


@router.get("/snapshot")
async def read_snapshot(request: Request, response: Response) -> SnapshotView:
    """The files of the active configuration, byte by byte."""
    snapshot = supervisor_of(request).active
    response.headers["etag"] = etag(snapshot.digest)
    files = {path: base64.b64encode(data).decode() for path, data in snapshot.files.items()}
    return SnapshotView(digest=snapshot.digest, files=files)


def etag(digest: str) -> str:
    """The digest as an entity tag, for `If-Match`."""
    return f'"{digest}"'


def expected_digest(if_match: str | None) -> str | None:
    """The digest in an `If-Match` header. Raises `ApiError` if it is no single entity tag."""
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip()
    if len(tag) < 3 or tag[0] != '"' or tag[-1] != '"' or '"' in tag[1:-1]:
        detail = 'If-Match must be one digest in quotes, as in "DIGEST", or *'
        raise ApiError(400, "invalid_if_match", detail)
    return tag[1:-1]


def rejection_problem(outcome: ReloadOutcome) -> ApiError:
    """The answer for a configuration that was not applied."""
    assert outcome.reason is not None
    first = outcome.findings[0].diagnostic if outcome.findings else None
    more = len(outcome.findings) - 1
    detail = f"the configuration was not applied: {first}" if first else "it was not applied"
    if more > 0:
        detail += f"; and {more} more"
    code = outcome.reason if outcome.reason in _STATUS else f"config_{outcome.reason}"
    return ApiError(
        _STATUS.get(outcome.reason, 409),
        "store_unavailable" if outcome.reason == "store" else code,
        detail,
        members={
            "reason": outcome.reason,
            "digest": outcome.digest,
            "active": outcome.active,
            "generation": outcome.generation,
            "findings": [finding_json(each) for each in outcome.findings],
        },
    )
