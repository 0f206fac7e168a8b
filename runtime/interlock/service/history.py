"""Earlier configurations: which there were, what was in them, and going back to one."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from interlock.config.source import Source
from interlock.reload.history import (
    ACTIVE,
    PREVIOUS,
    UnreadableSnapshot,
    compare_kept,
    find_digest,
    kept_source,
)
from interlock.reload.outcome import findings
from interlock.service.access import (
    ID_PATTERN,
    open_runtime,
    runtime_of,
    supervisor_of,
    who_asks,
)
from interlock.service.bodies import body_of, read_body
from interlock.service.config_schemas import Change, Reloaded, SnapshotView
from interlock.service.config_views import finding_json, reloaded_view
from interlock.service.history_schemas import (
    ActivationView,
    Difference,
    HistoryPage,
    NewRollback,
)
from interlock.service.openapi import problems
from interlock.service.problems import ApiError
from interlock.service.reload import IfMatch, etag, expected_digest, rejection_problem
from interlock.store.records import HistoryEntry

__all__ = ["activation_view", "router", "snapshot_view"]

router = APIRouter(prefix="/v1/config", tags=["configuration"])

_NAME = "At least 8 digits of a digest, `active` or `previous`."


@router.get("/history", responses=problems(422))
async def list_activations(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
) -> HistoryPage:
    """Which configurations became active when, by whom and why, newest first."""
    found = await runtime_of(request).store.activations(limit=limit + 1, before=before)
    shown = [activation_view(entry) for entry in found[:limit]]
    return HistoryPage(
        active=supervisor_of(request).active.digest,
        activations=shown,
        next=shown[-1].id if len(found) > limit else None,
    )


@router.get("/snapshots/{digest}", responses=problems(404, 409, 422))
async def read_kept(request: Request, digest: str) -> SnapshotView:
    """The files of a configuration that was active before, or is, byte by byte.

    `digest` may be its first 8 digits or more, `active` or `previous`.
    """
    return snapshot_view(await _source(request, digest))


@router.get("/diff", responses=problems(404, 409, 422))
async def compare(
    request: Request,
    from_: Annotated[str, Query(alias="from", description=_NAME)] = PREVIOUS,
    to: Annotated[str, Query(description=_NAME)] = ACTIVE,
) -> Difference:
    """What differs in meaning between two configurations."""
    before, after = await _source(request, from_), await _source(request, to)
    try:
        changes = await compare_kept(before, after)
    except UnreadableSnapshot as error:
        raise _unreadable(error) from error
    return Difference.model_validate(
        {
            "from": before.digest,
            "to": after.digest,
            "changes": [Change.model_validate(change.to_json()) for change in changes],
        }
    )


@router.post(
    "/rollback",
    response_model=Reloaded,
    responses=problems(400, 404, 409, 412, 413, 415, 422, 503),
    openapi_extra=body_of(NewRollback),
)
async def roll_back(request: Request, response: Response, if_match: IfMatch = None) -> Reloaded:
    """Makes an earlier configuration the active one. The files are left alone until they change.

    It is checked again on the way: 409 means that nothing has changed; `findings` say why.
    """
    open_runtime(request)
    body = await read_body(request, NewRollback)
    supervisor = supervisor_of(request)
    expected = expected_digest(if_match)
    if body.to == PREVIOUS and expected is None:
        # Which one that is depends on the active one, so that must not change meanwhile.
        expected = supervisor.active.digest
    outcome = await supervisor.activate(
        await _source(request, body.to),
        who=who_asks(request),
        why=body.why,
        if_match=expected,
    )
    if outcome.status == "rejected":
        raise rejection_problem(outcome)
    response.headers["etag"] = etag(outcome.active)
    return reloaded_view(outcome)


def activation_view(entry: HistoryEntry) -> ActivationView:
    """An entry of the history."""
    return ActivationView(
        id=entry.id,
        digest=entry.digest,
        previous=entry.previous,
        at=entry.at,
        trigger=entry.trigger,
        who=entry.who,
        why=entry.why,
    )


def snapshot_view(source: Source) -> SnapshotView:
    """A configuration with its files."""
    files = {path: base64.b64encode(data).decode() for path, data in source.files.items()}
    return SnapshotView(digest=source.digest, files=files)


async def _source(request: Request, name: str) -> Source:
    store = runtime_of(request).store
    digest = await find_digest(store, name, active=supervisor_of(request).active.digest)
    return await kept_source(store, digest)


def _unreadable(error: UnreadableSnapshot) -> ApiError:
    found = [finding_json(each) for each in findings(error.found, error.source.files)]
    members = {"digest": error.source.digest, "findings": found}
    return ApiError(409, error.code, str(error), members=members)
