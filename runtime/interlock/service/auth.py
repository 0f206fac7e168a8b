"""Letting in who has an API key."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.runtime import Runtime
from interlock.service.keys import new_key, owner_of
from interlock.service.listening import is_loopback
from interlock.service.problems import ApiError, problem_response

__all__ = ["Authentication", "new_key"]

_PUBLIC = frozenset({"/v1/health/live", "/v1/health/ready", "/openapi.json"})


class Authentication:
    """Lets requests through that carry a key of the active configuration, and notes whose it is.

    Without keys the service is for this machine only, and so must be the name that the client
    called it by: a web page elsewhere can point its own name at the loopback address.
    """

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 or 421, or lets the request through."""
        if scope["type"] == "http":
            refusal = self._refusal(scope, Headers(scope=scope))
            if refusal is not None:
                await problem_response(refusal, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> ApiError | None:
        keys = self._runtime.generation.snapshot.settings.auth.keys
        if not keys:
            host = headers.get("host")
            if host is None or is_loopback(_hostname(host)):
                return None
            detail = (
                "without auth.keys in interlock.yaml the service answers on this machine only, "
                "as localhost"
            )
            return ApiError(421, "untrusted_host", detail)
        if scope["path"] in _PUBLIC:
            return None
        given = headers.getlist("authorization")
        scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        owner = owner_of(key.strip(), keys) if scheme.lower() == "bearer" else None
        if owner is not None:
            scope.setdefault("state", {})["who"] = owner
            return None
        challenge = 'Bearer realm="interlock"' + (', error="invalid_token"' if given else "")
        detail = "a valid API key is needed, as in: Authorization: Bearer KEY"
        return ApiError(401, "unauthorized", detail, headers={"www-authenticate": challenge})


def _hostname(host: str) -> str:
    """The Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
