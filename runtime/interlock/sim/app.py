"""The simulator as an ASGI application: the Messages API and a few pages about itself."""

from __future__ import annotations

from urllib.parse import parse_qs

from pydantic_core import to_json
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.model.base import JsonObject
from interlock.sim.delivery import deliver, read_body, send_whole
from interlock.sim.errors import ApiError
from interlock.sim.facts import Headers
from interlock.sim.rules import SimRules
from interlock.sim.simulator import Answer, Simulator

__all__ = ["create_app"]

_MAX_BODY_BYTES = 32 * 1024 * 1024
_ABOUT = b"""This is the Interlock simulator, not a model.

It speaks Anthropic's Messages API at /v1/messages, and its replies are decided by rules.
Nothing here thinks, and nothing here costs money.

/stats         how many requests, by rule and by status
/requests?last=N  the newest requests (200 at most)
/healthz       whether it is up
"""


def create_app(rules: SimRules, *, default_latency_seconds: float = 0) -> ASGIApp:
    """The application that answers by `rules`.

    `default_latency_seconds` holds where the rules file sets no latency. Raises `TemplateFault`
    for rules that did not come from `load_rules` and hold a bad template.
    """
    simulator = Simulator(rules, default_latency_seconds=default_latency_seconds)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _respond(simulator, scope, receive=receive, send=send)

    return app


async def _respond(simulator: Simulator, scope: Scope, *, receive: Receive, send: Send) -> None:
    method, path = scope["method"], scope["path"]
    if path.startswith("/v1/"):
        answer = await _answer(simulator, scope, receive)
        await deliver(answer, scope, receive, send)
        return
    page = _page(simulator, path, scope["query_string"]) if method in ("GET", "HEAD") else None
    headers = [(b"x-interlock-simulator", b"true")]
    if isinstance(page, bytes):
        headers.append((b"content-type", b"text/plain; charset=utf-8"))
        await send_whole(send, 200, headers, page)
    elif page is not None:
        headers.append((b"content-type", b"application/json"))
        await send_whole(send, 200, headers, to_json(page))
    else:
        error = ApiError(404, f"Not found: {method} {path}")
        await deliver(simulator.refuse(error, path), scope, receive, send)


async def _answer(simulator: Simulator, scope: Scope, receive: Receive) -> Answer:
    method, path, headers = scope["method"], scope["path"], scope["headers"]
    body = await read_body(receive, _MAX_BODY_BYTES)
    if not _has_key(headers):
        error = ApiError(401, "x-api-key header is required")
    elif body is None:
        error = ApiError(413, "Request exceeds the maximum size of 32 MB")
    else:
        match method, path:
            case "POST", "/v1/messages":
                return simulator.answer_message(body, headers)
            case "POST", "/v1/messages/count_tokens":
                return simulator.answer_count(body)
            case "GET", "/v1/models":
                return simulator.answer_models()
            case "GET", _ if path.startswith("/v1/models/"):
                return simulator.answer_models(path.removeprefix("/v1/models/"))
            case _, "/v1/messages" | "/v1/messages/count_tokens" | "/v1/models":
                error = ApiError(405, "Method Not Allowed")
            case _:
                error = ApiError(404, f"Not found: {method} {path}")
    return simulator.refuse(error, path)


def _page(simulator: Simulator, path: str, query: bytes) -> bytes | JsonObject | None:
    match path:
        case "/":
            return _ABOUT
        case "/healthz":
            return {"status": "ok"}
        case "/stats":
            return simulator.record.stats()
        case "/requests":
            last = parse_qs(query.decode("latin-1")).get("last", ["200"])[-1]
            return {"requests": simulator.record.last(int(last) if last.isdecimal() else 200)}
    return None


def _has_key(headers: Headers) -> bool:
    for name, value in headers:
        if name == b"x-api-key" and value.strip():
            return True
        if name == b"authorization" and value[:7].lower() == b"bearer " and value[7:].strip():
            return True
    return False


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
