"""Whose conversations a request reaches: checked here for every route, also for new ones."""

from __future__ import annotations

import logging

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.errors import ConversationNotFound
from interlock.runtime import Runtime
from interlock.service.access import caller_of, conversation_id, runtime_of, turn_id
from interlock.service.caller import Claims, may_use
from interlock.service.inputs import NewConversation
from interlock.service.problems import ApiError, explain, problem_response, request_id
from interlock.service.session_tokens import InvalidToken, verify_token
from interlock.store.records import Conversation, TurnNotFound

__all__ = ["HEADER", "Ownership", "claims_of", "customer_of", "require_own"]

HEADER = "x-interlock-session"
"""The header that carries a session token."""

_LOG = logging.getLogger(__name__)
_CHALLENGE = {"www-authenticate": 'Interlock-Session realm="interlock", error="invalid_token"'}


class Ownership:
    """Answers 404 for conversations and turns that are not the caller's, as if they were not.

    Whether there is such a conversation is nobody else's business. Stands behind
    `Authentication`, which says who the caller is.
    """

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request through if what its path names may be used."""
        if scope["type"] == "http":
            try:
                await self._check(scope)
            except Exception as error:
                # The boundary of what stands before the endpoints, as their handlers are theirs.
                refusal = explain(error, request_id(scope))
                await problem_response(refusal, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        parts = scope["path"].split("/")
        kind, named = (parts[2], parts[3]) if len(parts) > 3 and parts[1] == "v1" else ("", "")
        if not named or kind not in ("conversations", "turns"):
            return
        if scope["method"] == "POST" and parts[4:] == ["messages"] and kind == "conversations":
            # Its token may be in its body, which only the endpoint reads.
            return
        request = Request(scope)
        caller, claims = caller_of(request), claims_of(request)
        if claims is None and caller.role != "chat":
            return
        store = self._runtime.store
        if kind == "conversations":
            await require_own(request, conversation_id(named), claims)
            return
        turn = await store.turn(turn_id(named))
        conversation = await store.conversation_facts(turn.conversation_id)
        if not _may_use(request, conversation, claims):
            raise TurnNotFound(named)


async def require_own(request: Request, name: str, claims: Claims | None) -> Conversation:
    """The conversation, if the caller may use it. Raises `ConversationNotFound` as if it were
    not there."""
    conversation = await runtime_of(request).store.conversation_facts(name)
    if not _may_use(request, conversation, claims):
        raise ConversationNotFound(name)
    return conversation


def claims_of(request: Request, token: str | None = None) -> Claims | None:
    """What the session token of a request says; `token` is one that its body has.

    None if there is none and need not be one. Raises `ApiError`.
    """
    generation = runtime_of(request).generation
    sessions = generation.snapshot.settings.auth.sessions
    given = [*request.headers.getlist(HEADER), *([] if token is None else [token])]
    if sessions is None:
        if given:
            detail = "session tokens are not in use here: interlock.yaml has no auth.sessions"
            raise ApiError(400, "sessions_not_configured", detail)
        return None
    if not given:
        if sessions.required and caller_of(request).role == "chat":
            detail = f"a session token is needed, in the header {HEADER} or as session in the body"
            raise ApiError(401, "session_required", detail, headers=_CHALLENGE)
        return None
    try:
        if len(set(given)) > 1:
            raise InvalidToken("there are several, and they differ")
        return verify_token(given[0], sessions, generation.session_keys)
    except InvalidToken as error:
        _LOG.info("request %s: the session token is refused: %s", request_id(request.scope), error)
        raise ApiError(
            401, "invalid_session", "the session token is not valid", headers=_CHALLENGE
        ) from None


def customer_of(
    request: Request, body: NewConversation, claims: Claims | None
) -> tuple[str | None, dict[str, object]]:
    """Who the customer of a new conversation is, and the claims about them. Raises `ApiError`."""
    unsigned = body.customer_id is not None or bool(body.claims)
    if claims is not None:
        if body.customer_id not in (None, claims.customer) or body.claims:
            detail = "the session token says who the customer is; leave the rest out of the body"
            raise ApiError(403, "unsigned_session", detail)
        return claims.customer, dict(claims.session)
    signed = runtime_of(request).generation.snapshot.settings.auth.sessions is not None
    if unsigned and signed and caller_of(request).role == "chat":
        detail = (
            "only a session token can say who the customer is: interlock.yaml has auth.sessions"
        )
        raise ApiError(403, "unsigned_session", detail)
    return body.customer_id, dict(body.claims)


def _may_use(request: Request, conversation: Conversation, claims: Claims | None) -> bool:
    signed = runtime_of(request).generation.snapshot.settings.auth.sessions is not None
    return may_use(conversation, caller_of(request), claims, signed=signed)
