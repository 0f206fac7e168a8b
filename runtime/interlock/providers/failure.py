"""What went wrong with a model call: the SDK's exceptions, sorted into kinds of failure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import aiohttp
import httpx2
from anthropic import APIConnectionError, APIStatusError

from interlock.providers.message import MalformedMessage
from interlock.providers.stream import TruncatedStream

__all__ = ["Failure", "Kind", "explain_failure", "parse_retry_after"]

Kind = Literal[
    "overloaded", "rate_limit", "server", "timeout", "connection", "malformed", "rejected"
]

_LINE_LENGTH = 300

_KIND_BY_STATUS: Mapping[int, Kind] = {
    408: "server",
    409: "server",
    429: "rate_limit",
    503: "overloaded",
    529: "overloaded",
}
"""Any other status from 500 is `server`, any other one below is `rejected`."""

_KIND_BY_TYPE: Mapping[str, Kind] = {
    "authentication_error": "rejected",
    "billing_error": "rejected",
    "invalid_request_error": "rejected",
    "not_found_error": "rejected",
    "overloaded_error": "overloaded",
    "permission_error": "rejected",
    "rate_limit_error": "rate_limit",
}
"""For errors inside a stream, which come with status 200; any other type is `server`."""

_SPENT = frozenset({"contract_spend_limit_reached", "enforced_spend_limit_reached"})
"""Answered with 429, but passing only when somebody raises the limit or the month ends."""

_NOT_BILLED = frozenset({500, 501, 503, 529})
"""The API's own word that it did not do the work, which we take as not billed. Others, such as
502 and 504, come from something in front of it that cannot know."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The part of a `ModelFailure` that the error itself tells."""

    kind: Kind
    message: str
    maybe_billed: bool
    status: int | None = None
    retry_after_seconds: float | None = None
    request_id: str | None = None


def explain_failure(error: Exception, *, now: datetime) -> Failure | None:
    """What `error`, raised by a call, means; None for one that no call should raise."""
    match error:
        case APIStatusError():
            return _explain_status(error, now)
        case APIConnectionError() | httpx2.RequestError():
            return _explain_transport(error)
        case TruncatedStream():
            return Failure("connection", str(error), maybe_billed=True)
        case MalformedMessage():
            return Failure("malformed", f"the answer is not a message: {error}", maybe_billed=True)
        case json.JSONDecodeError() | UnicodeDecodeError():
            return Failure("malformed", f"the answer is not JSON: {error}", maybe_billed=True)
        case UnicodeEncodeError():
            return Failure("rejected", "a header holds a lone surrogate", maybe_billed=False)
        case _:
            return None


def parse_retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The seconds that the server asks to wait, from `retry-after-ms` or `retry-after`.

    None when it asks for nothing or for something that is no time.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # An HTTP date is in GMT, also where it carries the zone that means "unknown".
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _explain_status(error: APIStatusError, now: datetime) -> Failure:
    status = error.status_code
    # Both come from the body as they are, whatever the annotations say.
    kind_name: object = error.type
    name = kind_name if isinstance(kind_name, str) else None
    in_stream = status == 200
    if error.error_code in _SPENT:
        kind: Kind = "rejected"
    elif in_stream:
        kind = _KIND_BY_TYPE.get(name or "", "server")
    else:
        kind = _KIND_BY_STATUS.get(status, "server" if status >= 500 else "rejected")
    label = ", ".join(part for part in (name, error.error_code) if part)
    answered = "broke off the stream" if in_stream else f"answered {status}"
    message = f"the server {answered}{f' ({label})' if label else ''}"
    detail = _detail(error)
    return Failure(
        kind,
        f"{message}: {detail}" if detail else message,
        maybe_billed=in_stream or (status >= 500 and status not in _NOT_BILLED),
        status=status,
        retry_after_seconds=parse_retry_after(error.response.headers, now=now),
        request_id=error.request_id,
    )


def _detail(error: APIStatusError) -> str:
    text: object = error.api_message
    if not isinstance(text, str):
        # Other servers and proxies have their own ideas of an error's body.
        body = error.body
        text = body if isinstance(body, str) else json.dumps(body) if body else ""
    return _line(text)


def _line(text: str) -> str:
    """A foreign text as one line of bounded length that any store can keep."""
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]}..."


def _explain_transport(error: APIConnectionError | httpx2.RequestError) -> Failure:
    causes = tuple(_causes(error))
    root = causes[-1] if causes else error
    text = _line(str(root)) or type(root).__name__
    for cause in causes:
        match cause:
            case httpx2.DecodingError():
                return Failure(
                    "malformed", f"the answer cannot be decoded: {text}", maybe_billed=True
                )
            case httpx2.ConnectTimeout() | httpx2.PoolTimeout():
                return Failure("timeout", f"no connection in time: {text}", maybe_billed=False)
            case httpx2.TimeoutException():
                return Failure("timeout", f"no answer in time: {text}", maybe_billed=True)
            # aiohttp's own class, as httpx2 is told ConnectError for a dropped connection too.
            case aiohttp.ClientConnectorError() | httpx2.ProxyError():
                return Failure("connection", f"no connection: {text}", maybe_billed=False)
            case httpx2.UnsupportedProtocol() | ValueError():
                return Failure(
                    "rejected", f"the request cannot be sent: {text}", maybe_billed=False
                )
    return Failure("connection", f"the connection broke: {text}", maybe_billed=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error below the SDK's, then what caused it, as far as the libraries wrapped it."""
    current: BaseException | None = error
    while current is not None:
        if not isinstance(current, APIConnectionError):
            yield current
        if isinstance(current, aiohttp.ClientError):
            return
        current = current.__cause__
