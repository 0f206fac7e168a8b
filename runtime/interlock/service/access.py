"""What the endpoints get at through a request: the runtime, and ids that may be looked up."""

from __future__ import annotations

import re
from typing import cast

from fastapi import Request

from interlock.errors import ConversationNotFound
from interlock.people.escalations import NOBODY
from interlock.reload.supervisor import Supervisor
from interlock.runtime import Runtime, ShuttingDown
from interlock.service.caller import ANYONE, Caller
from interlock.store.people_records import ApprovalNotFound, EscalationNotFound
from interlock.store.records import TurnNotFound

__all__ = [
    "ID_PATTERN",
    "approval_id",
    "caller_of",
    "conversation_id",
    "escalation_id",
    "open_runtime",
    "person_of",
    "runtime_of",
    "supervisor_of",
    "turn_id",
    "who_asks",
]

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
"""Whatever else may come in a path is not an id, and not every database could look it up."""

_ID = re.compile(ID_PATTERN)


def runtime_of(request: Request) -> Runtime:
    """The runtime that the application was made for."""
    return cast(Runtime, request.app.state.runtime)


def supervisor_of(request: Request) -> Supervisor:
    """What holds the active configuration."""
    return cast(Supervisor, request.app.state.supervisor)


def caller_of(request: Request) -> Caller:
    """Whose key the request came with."""
    return cast(Caller, getattr(request.state, "caller", ANYONE))


def who_asks(request: Request) -> str | None:
    """The name of the API key that the request came with; None if the service asks for none."""
    return getattr(request.state, "who", None)


def person_of(request: Request) -> str:
    """The name under which a person acts."""
    return who_asks(request) or NOBODY


def open_runtime(request: Request) -> Runtime:
    """The runtime, for requests that begin something. Raises `ShuttingDown`."""
    runtime = runtime_of(request)
    if runtime.stopping:
        raise ShuttingDown("the service is shutting down; try again in a moment")
    return runtime


def conversation_id(value: str) -> str:
    """An id that may be looked up. Raises `ConversationNotFound` if it cannot be one."""
    if _ID.match(value) is None:
        raise ConversationNotFound(value)
    return value


def turn_id(value: str) -> str:
    """An id that may be looked up. Raises `TurnNotFound` if it cannot be one."""
    if _ID.match(value) is None:
        raise TurnNotFound(value)
    return value


def escalation_id(value: str) -> str:
    """An id that may be looked up. Raises `EscalationNotFound` if it cannot be one."""
    if _ID.match(value) is None:
        raise EscalationNotFound(value)
    return value


def approval_id(value: str) -> str:
    """An id that may be looked up. Raises `ApprovalNotFound` if it cannot be one."""
    if _ID.match(value) is None:
        raise ApprovalNotFound(value)
    return value
