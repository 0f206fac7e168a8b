"""A turn's progress as server-sent events, for one reader who may be slow or leave."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping

from fastapi.sse import format_sse_event
from pydantic_core import to_json
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from interlock.model.base import JsonObject
from interlock.model.event import EventType, TraceEvent
from interlock.runtime import Runtime
from interlock.service.problems import explain, problem_json
from interlock.service.views import answer_json

__all__ = ["Progress", "public_view", "stream_answer", "wants_events"]

_MOST_WAITING = 256
_PING_SECONDS = 15.0
_PING = format_sse_event(comment="still working")

_SHOWN: Mapping[EventType, tuple[str, ...]] = {
    "plan": ("steps",),
    "model_call": ("route", "attempt", "stopReason", "failure"),
    "tool_call": ("id", "tool"),
    "tool_result": ("id", "tool", "status", "retryable", "effect"),
    "guardrail": ("stage", "verdict", "guardrail", "tool"),
    "observation": ("action", "reason"),
    "breaker": ("breaker", "limit"),
    "escalation": ("queue", "reason"),
    "response": ("outcome", "reason"),
}
_SHOWN_OF_STEP = ("type", "instruction", "priority")


def public_view(event: TraceEvent) -> JsonObject:
    """What a trace event says about progress: never a tool's input or data, never a price."""
    view: JsonObject = {
        "turnId": event.turn_id,
        "sequence": event.sequence,
        "iteration": event.iteration,
        "time": event.time,
    }
    measures = {"latencyMs": event.latency_ms, "model": event.model, "tokens": event.tokens}
    view |= {name: value for name, value in measures.items() if value is not None}
    shown = _SHOWN.get(event.type, ())
    view |= {name: event.data[name] for name in shown if name in event.data}
    if "steps" in view:
        view["steps"] = [
            {name: step[name] for name in _SHOWN_OF_STEP if name in step} for step in view["steps"]
        ]
    return view


def wants_events(accept: str) -> bool:
    """Whether an Accept header asks for server-sent events by name."""
    media_types = (part.partition(";")[0].strip() for part in accept.lower().split(","))
    return "text/event-stream" in media_types


class Progress:
    """The events of a turn that its reader has not had yet.

    Taking one never waits. Of a reader that is too slow the newest events are dropped and
    counted; the trace holds them all.
    """

    def __init__(self, *, most: int = _MOST_WAITING, ping_seconds: float = _PING_SECONDS) -> None:
        self._most = most
        self._ping_seconds = ping_seconds
        self._waiting: deque[TraceEvent] = deque()
        self._missed = 0
        self._ended = False
        self._changed = asyncio.Event()

    def push(self, event: TraceEvent) -> None:
        """Takes an event, unless there is no reader or no room."""
        if self._ended:
            return
        if len(self._waiting) < self._most:
            self._waiting.append(event)
        else:
            self._missed += 1
        self._changed.set()

    def end(self) -> None:
        """Says that nothing more will come, or that nobody reads any more."""
        self._ended = True
        self._changed.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The events as they come, with a comment now and then, until the end."""
        while self._waiting or self._missed or not self._ended:
            if not self._changed.is_set():
                try:
                    async with asyncio.timeout(self._ping_seconds):
                        await self._changed.wait()
                except TimeoutError:
                    yield _PING
                    continue
            self._changed.clear()
            events = [
                _event(event.type, public_view(event), event.sequence) for event in self._waiting
            ]
            self._waiting.clear()
            if self._missed:
                events.append(_event("missed", {"count": self._missed}))
                self._missed = 0
            if events:
                yield b"".join(events)


async def stream_answer(
    runtime: Runtime, conversation_id: str, *, text: str, request_id: str
) -> StreamingResponse:
    """Sends the message, and answers with its progress and then its answer.

    Raises `ConversationNotFound`, `Paused` and `StoreError` while a status can still say so; what
    fails later is told by the last event, `error`.
    """
    await runtime.check_open(conversation_id)
    progress = Progress()

    async def last_event() -> bytes:
        try:
            answered = await runtime.send(conversation_id, text, listener=progress.push)
        except Exception as error:
            # The boundary of a stream: `explain` tells the log, the event tells the client.
            return _event("error", problem_json(explain(error, request_id), request_id))
        finally:
            progress.end()
        return _event("answer", answer_json(answered))

    # It outlives its reader: the runtime holds the turn, and the turn holds who waits for it.
    sending = asyncio.create_task(last_event())

    async def content() -> AsyncIterator[bytes]:
        async for chunk in progress.chunks():
            yield chunk
        yield await asyncio.shield(sending)

    return _ProgressResponse(content(), progress)


class _ProgressResponse(StreamingResponse):
    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes], progress: Progress) -> None:
        # nginx would hold the events back.
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        super().__init__(content, headers=headers)
        self._progress = progress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._progress.end()


def _event(name: str, data: JsonObject, sequence: int | None = None) -> bytes:
    return format_sse_event(
        event=name,
        data_str=to_json(data).decode(),
        id=None if sequence is None else str(sequence),
    )
