"""The API's errors: a status, a type and a message, in the shape that the SDK reads."""

from __future__ import annotations

from typing import NoReturn

from pydantic_core import to_json

from interlock.model.base import JsonObject

__all__ = ["ApiError", "error_body", "reject"]

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class ApiError(Exception):
    """The request is answered with this error instead of a message."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.status = status
        self.message = message
        self.kind = kind or _kind(status)
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


def _kind(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")


def error_body(kind: str, message: str, request_id: str) -> bytes:
    """The JSON body of an error."""
    body: JsonObject = {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": request_id,
    }
    return to_json(body)


def reject(place: str, message: str) -> NoReturn:
    """Refuses the request with 400, naming the place in it as the API does."""
    raise ApiError(400, f"{place}: {message}")
