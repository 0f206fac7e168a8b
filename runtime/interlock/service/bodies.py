"""Reading JSON bodies straight into models."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from interlock.service.problems import ApiError, validation_error

__all__ = ["body_of", "read_body"]

M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, model: type[M]) -> M:
    """The request's body. Raises `ApiError` if it is not JSON or not what it should be."""
    # Also what keeps web pages elsewhere out: for JSON a browser asks first.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        detail = "the body must be JSON, and Content-Type must say so: application/json"
        raise ApiError(415, "unsupported_media_type", detail)
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise validation_error(found) from None


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """How a path operation that uses `read_body` describes its body; see `openapi`."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
