"""The HTTP API as an application: its routes, and what stands before them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from interlock.errors import InterlockError
from interlock.reload.supervisor import Supervisor
from interlock.runtime import Runtime
from interlock.service import (
    admin,
    approvals,
    breakers,
    canary,
    conversations,
    escalations,
    feedback,
    health,
    history,
    reload,
    switches,
    turns,
)
from interlock.service import metrics as metrics_page
from interlock.service.auth import Authentication
from interlock.service.body_limit import BodyLimit
from interlock.service.boundary import Boundary
from interlock.service.customer_limits import CustomerLimits
from interlock.service.key_ring import KeyRing
from interlock.service.metrics import Metrics
from interlock.service.openapi import complete
from interlock.service.ownership import Ownership
from interlock.service.problems import ApiError, answer_error

__all__ = ["create_app"]

_DESCRIPTION = """Conversations with agents that are declared in YAML.

Keys are camelCase, times are UTC, money is in US dollars as a decimal string. Errors are
`application/problem+json` with a stable `code`.
"""


def create_app(
    runtime: Runtime,
    *,
    supervisor: Supervisor,
    metrics: Metrics,
    ring: KeyRing | None = None,
) -> FastAPI:
    """The application that answers for `runtime`, with its active configuration at any time.

    `supervisor` is what replaces that configuration, `metrics` counts what happens in both,
    `ring` has the API keys of the runtime's store.
    """
    app = _Api(
        title="Interlock",
        description=_DESCRIPTION,
        version=version("interlock-runtime"),
        # The usual pages load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=[
            route
            for module in (
                *(conversations, turns, admin, reload, canary, history, switches),
                *(escalations, approvals, feedback, breakers),
                *(health, metrics_page),
            )
            for route in module.router.routes
        ],
        middleware=[
            Middleware(Boundary),
            Middleware(Authentication, runtime=runtime, ring=ring or KeyRing(runtime.store)),
            Middleware(Ownership, runtime=runtime),
            Middleware(BodyLimit, runtime=runtime),
        ],
        exception_handlers={
            ApiError: answer_error,
            HTTPException: _answer_http_error,
            InterlockError: answer_error,
            RequestValidationError: answer_error,
        },
    )
    app.state.runtime = runtime
    app.state.supervisor = supervisor
    app.state.metrics = metrics
    app.state.customer_limits = CustomerLimits()
    return app


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


async def _answer_http_error(request: Request, error: HTTPException) -> Response:
    """Also names every method that the path takes, not only those of the first route."""
    if error.status_code == 405:
        allowed = _methods(request.app.routes, request)
        headers = {"allow": ", ".join(sorted(allowed))}
        detail = f"{request.method} is not possible here, but {headers['allow']}"
        return await answer_error(
            request, ApiError(405, "method_not_allowed", detail, headers=headers)
        )
    if error.status_code == 404:
        detail = f"there is nothing at {request.url.path}"
        return await answer_error(request, ApiError(404, "not_found", detail))
    return await answer_error(request, error)


def _methods(routes: Iterable[BaseRoute], request: Request) -> set[str]:
    return {
        method
        for route in routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
