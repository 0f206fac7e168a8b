"""Errors as `application/problem+json`: which exception becomes which answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from interlock.engine.breaker_names import UnknownBreaker
from interlock.engine.breaker_notice import Paused
from interlock.engine.switches import NotDeclared
from interlock.errors import ConversationNotFound, InterlockError, StoreError, UnknownAgent
from interlock.model.base import Json, JsonObject
from interlock.people.errors import EscalationConflict, InvalidEdit, Unavailable
from interlock.reload.history import AmbiguousDigest, UnknownSnapshot
from interlock.reload.supervisor import NoCanary, SupervisorClosed
from interlock.runtime import ShuttingDown, TurnInterrupted
from interlock.store.people import AlreadyDecided
from interlock.store.people_records import ApprovalNotFound, EscalationNotFound
from interlock.store.records import TurnNotFound

__all__ = [
    "MEDIA_TYPE",
    "ApiError",
    "answer_error",
    "explain",
    "problem_json",
    "problem_response",
    "request_id",
    "validation_error",
]

MEDIA_TYPE = "application/problem+json"

_LOG = logging.getLogger(__name__)
_STATUS: Mapping[type[InterlockError], int] = {
    AlreadyDecided: 409,
    AmbiguousDigest: 409,
    ApprovalNotFound: 404,
    ConversationNotFound: 404,
    EscalationConflict: 409,
    EscalationNotFound: 404,
    InvalidEdit: 422,
    NoCanary: 409,
    NotDeclared: 404,
    TurnNotFound: 404,
    UnknownAgent: 404,
    UnknownBreaker: 404,
    UnknownSnapshot: 404,
    TurnInterrupted: 503,
    Unavailable: 409,
}
_RETRY_AFTER = {"retry-after": "5"}


@dataclass(eq=False)
class ApiError(Exception):
    """A request that cannot be answered as asked, and why."""

    status: int
    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    """What is wrong with the request, each as {where, message}."""
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Json] = field(default_factory=dict)
    """Further members of the problem document."""


def explain(error: Exception, request_id: str) -> ApiError:
    """What the client is told about an exception. Logs what only operators may know."""
    match error:
        case ApiError():
            return error
        case RequestValidationError():
            return validation_error(error.errors())
        case HTTPException(status_code=status, detail=detail, headers=headers):
            code = HTTPStatus(status).phrase.lower().replace(" ", "_")
            return ApiError(status, code, detail, headers=headers or {})
        case Paused():
            status, seconds = (429 if error.of_customer else 503), ceil(error.retry_after)
            headers = {"retry-after": str(seconds)}
            return ApiError(status, error.code, str(error), headers=headers)
        case ShuttingDown() | SupervisorClosed():
            return ApiError(503, error.code, str(error), headers=_RETRY_AFTER)
        case StoreError():
            # The message may name files and hosts.
            _LOG.error("request %s: the store failed: %s", request_id, error)
            detail = "the store cannot be used right now; try again in a moment"
            return ApiError(503, error.code, detail, headers=_RETRY_AFTER)
        case InterlockError() if type(error) in _STATUS:
            return ApiError(_STATUS[type(error)], error.code, str(error))
        case _:
            _LOG.error("request %s failed", request_id, exc_info=error)
            detail = f"something went wrong on our side; the log tells more about {request_id}"
            return ApiError(500, "internal", detail)


def validation_error(found: Sequence[Any]) -> ApiError:
    """A body or parameters that are not valid, from pydantic's list of errors."""
    first = found[0]
    if first["type"] == "json_invalid":
        reason = first["ctx"]["error"]
        return ApiError(400, "malformed_json", f"the body is not valid JSON: {reason}")
    errors = [{"where": _where(error["loc"]), "message": error["msg"]} for error in found]
    named = "; ".join(f"{error['where']}: {error['message']}" for error in errors)
    return ApiError(422, "invalid_request", f"the request is not valid: {named}", errors)


def problem_json(error: ApiError, request_id: str) -> JsonObject:
    """The problem document."""
    problem: JsonObject = {
        "type": f"urn:interlock:error:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "instance": f"urn:interlock:request:{request_id}",
    }
    if error.errors:
        problem["errors"] = [dict(item) for item in error.errors]
    return {**problem, **error.members}


def problem_response(error: ApiError, scope: Scope) -> Response:
    """The problem document as a response."""
    body = to_json(problem_json(error, request_id(scope)))
    return Response(body, error.status, dict(error.headers), MEDIA_TYPE)


async def answer_error(request: Request, error: Exception) -> Response:
    """The exception handler for everything that the endpoints raise."""
    return problem_response(explain(error, request_id(request.scope)), request.scope)


def request_id(scope: Scope) -> str:
    """The id that `boundary` gave the request."""
    return str(scope["state"]["request_id"])


def _where(location: Sequence[str | int]) -> str:
    """The field that a validation error is about; parameters come without their place."""
    parts = location[1:] if location and location[0] in ("query", "path", "header") else location
    return ".".join(str(part) for part in parts) or "body"
