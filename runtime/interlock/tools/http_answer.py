"""From an HTTP answer to a tool result. No I/O."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from http import HTTPStatus

from pydantic_core import from_json, to_json

from interlock.model.base import Json
from interlock.model.result import Effect, ToolResult
from interlock.model.tool import HttpCall
from interlock.tools.failure import UNKNOWN, fail, fail_unknown, shorten

__all__ = ["Answer", "read_answer"]

_ASKS_TO_WAIT = frozenset({429, 503})
"""Statuses by which a server says that it has not begun; but a proxy says 503 for it, too."""

_MAY_PASS = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same read may work later."""

_LONGEST_DETAIL = 300
_LARGEST_NOT_FOUND = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, its body read as far as allowed."""

    status: int
    content_type: str
    """The media type in lower case, without parameters; empty when there is none."""
    charset: str | None
    body: bytes
    complete: bool = True
    """False if the body is longer than a tool may read."""
    location: str | None = None
    retry_after_seconds: float | None = None


def read_answer(
    answer: Answer, http: HttpCall, *, mutation: bool, repeatable: bool = False
) -> ToolResult:
    """What the answer means, by the tool's declaration. The effect of a read is always `none`.

    `repeatable` is a mutation that carries an idempotency key: sending it again does no harm.
    """
    status = answer.status
    if status in http.not_found:
        return _read_not_found(answer)
    if 200 <= status < 300:
        return _read_success(answer, http, mutation=mutation)
    said = _describe(answer)
    if 300 <= status < 400:
        return _read_redirect(answer, said, mutation=mutation)
    if answer.retry_after_seconds is not None and status in _ASKS_TO_WAIT:
        said += f"; it asks to wait {answer.retry_after_seconds:.0f} s"
    if not mutation or status == 429 or (status == 503 and repeatable):
        return fail(said, retryable=status in _MAY_PASS)
    if status >= 500:
        return fail_unknown(said, mutation=True, retryable=False)
    return fail(said)


def _read_success(answer: Answer, http: HttpCall, *, mutation: bool) -> ToolResult:
    if not answer.complete:
        message = f"the service's answer is larger than {http.max_bytes} bytes"
        return fail_unknown(message, mutation=mutation, retryable=False)
    effect: Effect = "applied" if mutation else "none"
    if not answer.body.strip():
        return ToolResult("success", effect=effect)
    if answer.content_type.startswith("text/") and not _is_json(answer.content_type):
        return ToolResult("success", _text(answer), effect=effect)
    try:
        return ToolResult("success", _json(answer), effect=effect)
    except ValueError:
        message = f"the service answered {answer.status} with something that is not JSON"
        return fail_unknown(message, mutation=mutation, retryable=False)


def _read_not_found(answer: Answer) -> ToolResult:
    data: Json = None
    if answer.complete and len(answer.body) <= _LARGEST_NOT_FOUND:
        try:
            data = _json(answer)
        except ValueError:
            # A page for people says no more than the status.
            data = None
    return ToolResult("not_found", data, shorten(_describe(answer)))


def _read_redirect(answer: Answer, said: str, *, mutation: bool) -> ToolResult:
    place = f"to {shorten(answer.location, 200)}" if answer.location else "to nowhere"
    message = f"{said}, a redirect {place} that is not followed"
    # 307 and 308 ask for the same request elsewhere; the others may come after it was done.
    if mutation and answer.status not in (307, 308):
        return fail(f"{message}; {UNKNOWN}", effect="unknown")
    return fail(message)


def _describe(answer: Answer) -> str:
    try:
        name = f" {HTTPStatus(answer.status).phrase}"
    except ValueError:
        name = ""
    detail = _detail(answer)
    said = f"the service answered {answer.status}{name}"
    return f"{said}: {shorten(detail, _LONGEST_DETAIL)}" if detail else said


def _detail(answer: Answer) -> str:
    """What the body says about a failure: a problem's detail or title, or a short text."""
    if not answer.complete:
        return ""
    try:
        body = _json(answer)
    except ValueError:
        # A page for people is mostly markup.
        return "" if answer.content_type == "text/html" else _text(answer).strip()
    if isinstance(body, dict):
        for key in ("detail", "title", "message", "error"):
            if body.get(key):
                return _as_text(body[key])
    return _as_text(body) if body else ""


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def _is_json(content_type: str) -> bool:
    return content_type.endswith(("/json", "+json"))


def _json(answer: Answer) -> Json:
    """The body as JSON. Raises `ValueError`."""
    return from_json(answer.body.removeprefix(codecs.BOM_UTF8), allow_inf_nan=False)


def _text(answer: Answer) -> str:
    try:
        return answer.body.decode(answer.charset or "utf-8", "replace")
    except LookupError:
        return answer.body.decode("utf-8", "replace")
