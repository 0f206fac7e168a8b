"""Letting in who has an API key, to what the key's role may do."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.errors import StoreError
from interlock.runtime import Runtime
from interlock.service.caller import ANYONE, Caller
from interlock.service.key_ring import KeyRing
from interlock.service.keys import key_of, new_key
from interlock.service.listening import is_loopback
from interlock.service.problems import ApiError, explain, problem_response, request_id
from interlock.service.roles import allows, needed_role

__all__ = ["Authentication", "new_key"]


class Authentication:
    """Lets requests through that carry a key whose role suffices, and notes whose it is.

    Keys are those of the active configuration and those of the store. Without any, the service
    is for this machine only, and so must be the name that the client called it by: a web page
    elsewhere can point its own name at the loopback address.
    """

    def __init__(self, app: ASGIApp, runtime: Runtime, ring: KeyRing) -> None:
        self._app = app
        self._runtime = runtime
        self._ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401, 403, 421 or 503, or lets the request through."""
        if scope["type"] == "http":
            try:
                caller = await self._admit(scope, Headers(scope=scope))
            except (ApiError, StoreError) as error:
                refusal = explain(error, request_id(scope))
                await problem_response(refusal, scope)(scope, receive, send)
                return
            scope.setdefault("state", {}).update(caller=caller, who=caller.name)
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, headers: Headers) -> Caller:
        """Who asks. Raises `ApiError`, and `StoreError` if the store's keys are not known."""
        needed = needed_role(scope["method"], scope["path"])
        if needed != "anyone":
            await self._ring.refresh()
        declared = self._runtime.generation.snapshot.settings.auth.keys
        if not declared and not self._ring.has_keys:
            _check_host(headers.get("host"))
            return ANYONE
        if needed == "anyone":
            return Caller(None, "chat")
        given = headers.getlist("authorization")
        scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        caller = self._find(key.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            challenge = 'Bearer realm="interlock"' + (', error="invalid_token"' if given else "")
            detail = "a valid API key is needed, as in: Authorization: Bearer KEY"
            raise ApiError(401, "unauthorized", detail, headers={"www-authenticate": challenge})
        if not allows(caller.role, needed):
            detail = (
                f"the key '{caller.name}' has the role {caller.role}; "
                f"{scope['method']} {scope['path']} needs the role {needed}"
            )
            raise ApiError(403, "forbidden", detail, members={"role": needed})
        return caller

    def _find(self, key: str) -> Caller | None:
        declared = key_of(key, self._runtime.generation.snapshot.settings.auth.keys)
        if declared is not None:
            return Caller(declared.name, declared.role or "admin")
        stored = self._ring.find(key)
        return None if stored is None else Caller(stored.name, stored.role)


def _check_host(host: str | None) -> None:
    if host is None or is_loopback(_hostname(host)):
        return
    detail = (
        "without auth.keys in interlock.yaml, and without a key of `interlock keys create`, the "
        "service answers on this machine only, as localhost"
    )
    raise ApiError(421, "untrusted_host", detail)


def _hostname(host: str) -> str:
    """The Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
