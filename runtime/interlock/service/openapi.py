"""The description of the API at `/openapi.json`, completed by what holds for every route."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from interlock.service.breaker_schemas import BreakerOperation
from interlock.service.config_schemas import EndCanary, NewReload
from interlock.service.history_schemas import NewRollback
from interlock.service.inputs import NewConversation, NewMessage
from interlock.service.people_schemas import (
    NewAnswer,
    NewDenial,
    NewEdit,
    NewFeedback,
    NewHandBack,
    NewReply,
    NewResolution,
)
from interlock.service.problems import MEDIA_TYPE
from interlock.service.schemas import Problem
from interlock.service.switch_schemas import NewSwitch, NewToolSwitch

__all__ = ["complete", "problems"]

_REF = "#/components/schemas/{model}"
_MODELS: Sequence[type[BaseModel]] = (
    *(NewConversation, NewMessage, NewReload, EndCanary, NewRollback, NewSwitch, NewToolSwitch),
    *(NewReply, NewHandBack, NewResolution, NewEdit, NewDenial, NewAnswer, NewFeedback),
    BreakerOperation,
    Problem,
)
_WHEN = {
    400: "The body is not JSON.",
    401: "There is no valid API key.",
    403: "The key's role does not suffice, or what only a session token can say is not signed.",
    404: "There is no such thing.",
    409: "It cannot be done as things are; `findings` say why, where a configuration is at fault.",
    412: "Another configuration is active than the one that `If-Match` names.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "The request is not valid; `errors` names the fields.",
    429: "The customer has reached a limit; `Retry-After` says how long to wait.",
    500: "Something went wrong; the log tells more about `instance`.",
    503: "The service is stopping, paused by a breaker, or its store does not answer.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, beside those that every route has."""
    return {status: _problem(status) for status in statuses}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Adds the models that no route names, the API key, and the errors of every route."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in _MODELS:
        schema = model.model_json_schema(ref_template=_REF)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    components["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"apiKey": []}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            common = (500,) if path.endswith(("/live", "/ready")) else (401, 403, 500, 503)
            for status in common:
                operation["responses"].setdefault(str(status), _problem(status))
            if path.endswith(("/live", "/ready")):
                operation["security"] = []
    return document


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="Problem")}
    return {"description": _WHEN[status], "content": {MEDIA_TYPE: {"schema": schema}}}
