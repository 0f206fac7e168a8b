"""The simulator without HTTP: a request's bytes and headers in, an answer out."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, replace
from http import HTTPStatus
from random import Random

from pydantic_core import from_json, to_json

from interlock.model.base import JsonObject
from interlock.sim.binding import check_thinking, sign_thinking
from interlock.sim.errors import ApiError, error_body
from interlock.sim.facts import Facts, Headers
from interlock.sim.matching import Matcher
from interlock.sim.models import MODELS, describe_model, find_model
from interlock.sim.prompt import Prompt, build_prompt
from interlock.sim.record import Entry, Record
from interlock.sim.reply import ReplyTemplate
from interlock.sim.request import Request
from interlock.sim.rules import ErrorReply, Fault, Latency, Reply, Rule, SimRules
from interlock.sim.streaming import message_events
from interlock.sim.usage import PromptCache
from interlock.sim.validation import validate_request
from interlock.templates import TemplateFault

__all__ = ["Answer", "Simulator"]

_FILLER = Reply(
    text="This reply is broken on purpose, because a rule of the simulator says so. " * 4
)
"""What a fault breaks off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be sent, and how."""

    status: int
    request_id: str
    parts: list[bytes]
    """The events of a stream, or the one body."""
    is_stream: bool = False
    latency_seconds: float = 0
    retry_after_seconds: float | None = None
    fault: Fault | None = None


class Simulator:
    """Answers requests by rules. Keeps counters, a cache of prefixes and the newest requests."""

    def __init__(self, rules: SimRules, *, default_latency_seconds: float = 0) -> None:
        self.record = Record()
        self._rules = rules
        self._default_latency_seconds = default_latency_seconds
        self._matcher = Matcher(rules.rules)
        self._replies = {
            rule.name: ReplyTemplate(rule.reply) for rule in rules.rules if rule.reply is not None
        }
        self._filler = ReplyTemplate(_FILLER)
        self._cache = PromptCache()
        self._random = Random(rules.seed)
        # Ids must stay unique when the simulator is started anew beside a store that keeps them.
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def answer_message(self, body: bytes, headers: Headers) -> Answer:
        """The answer to `POST /v1/messages`."""
        request_id = self._new_id("req")
        rule: Rule | None = None
        try:
            request, prompt = self._read(body, counting=False)
            facts = Facts(request, headers)
            match = self._matcher.find(facts)
            if match is None:
                raise ApiError(400, f"No rule of the simulator matches. {facts.describe()}")
            rule = match.rule
            context = facts.context(match.groups, self._random)
            message = self._message(request, prompt, rule=rule, context=context)
            reply = rule.reply
            answer = Answer(
                200,
                request_id,
                message_events(message) if request.stream else [to_json(message)],
                is_stream=request.stream,
                latency_seconds=self._draw((reply and reply.latency) or rule.latency),
                fault=rule.fault,
            )
        except ApiError as error:
            answer = _answer_error(error, request_id)
            if rule is not None:
                answer = replace(answer, latency_seconds=self._draw(rule.latency))
        status = None if answer.fault in ("drop", "hang") else answer.status
        name = None if rule is None else rule.name
        self.record.add(Entry(request_id, "/v1/messages", body, status, name))
        return answer

    def answer_count(self, body: bytes) -> Answer:
        """The answer to `POST /v1/messages/count_tokens`."""
        request_id = self._new_id("req")
        try:
            _, prompt = self._read(body, counting=True)
            answer = _answer_json({"input_tokens": prompt.tokens}, request_id)
        except ApiError as error:
            answer = _answer_error(error, request_id)
        self.record.add(
            Entry(request_id, "/v1/messages/count_tokens", body, answer.status, rule=None)
        )
        return answer

    def answer_models(self, name: str | None = None) -> Answer:
        """The answer to `GET /v1/models`, or with a name to `GET /v1/models/{name}`."""
        request_id = self._new_id("req")
        if name is not None:
            traits = find_model(name, any_model=self._rules.models == "any")
            if traits is None:
                return _answer_error(ApiError(404, f"model: {name}"), request_id)
            return _answer_json(describe_model(name, traits), request_id)
        data = [describe_model(name, traits) for name, traits in MODELS.items()]
        page = {
            "data": data,
            "has_more": False,
            "first_id": data[0]["id"],
            "last_id": data[-1]["id"],
        }
        return _answer_json(page, request_id)

    def refuse(self, error: ApiError, path: str) -> Answer:
        """The answer to a request that is refused before its body is looked at."""
        request_id = self._new_id("req")
        self.record.add(Entry(request_id, path, b"", error.status, rule=None))
        return _answer_error(error, request_id)

    def _read(self, body: bytes, *, counting: bool) -> tuple[Request, Prompt]:
        try:
            data = from_json(body, allow_inf_nan=False)
        except ValueError as error:
            raise ApiError(400, f"The request body is not valid JSON: {error}") from error
        any_model = self._rules.models == "any"
        request = validate_request(data, any_model=any_model, counting=counting)
        prompt = build_prompt(request)
        check_thinking(request, prompt)
        limit = request.traits.max_input_tokens
        if prompt.tokens > limit and not counting:
            raise ApiError(400, f"prompt is too long: {prompt.tokens} tokens > {limit} maximum")
        return request, prompt

    def _message(
        self, request: Request, prompt: Prompt, *, rule: Rule, context: JsonObject
    ) -> JsonObject:
        if rule.error is not None:
            raise _api_error(rule.error)
        if rule.fault == "streamError" and not request.stream:
            raise _api_error(ErrorReply(status=529))
        reply = rule.reply or _FILLER
        try:
            draft = self._replies.get(rule.name, self._filler).draft(request, context)
        except TemplateFault as fault:
            message = f"The template of the simulator's rule '{rule.name}' failed: {fault.message}"
            raise ApiError(500, message) from fault
        content = draft.content
        if reply.content is None:
            content = [self._finish(block, request, prompt) for block in content]
        usage = self._cache.account(request, prompt)
        tokens = usage.to_json(draft.output_tokens, draft.thinking_tokens)
        # A broken answer counts as well: the real one may have been billed.
        self.record.add_usage(tokens)
        sequences = request.body.get("stop_sequences") or [None]
        details = {"type": "refusal", "category": reply.refusal_category, "explanation": None}
        return {
            "id": self._new_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": request.model,
            "content": content,
            "stop_reason": draft.stop_reason,
            "stop_sequence": sequences[0] if draft.stop_reason == "stop_sequence" else None,
            "stop_details": details if draft.stop_reason == "refusal" else None,
            "usage": tokens,
        }

    def _finish(self, block: JsonObject, request: Request, prompt: Prompt) -> JsonObject:
        """A block with the parts that no rule can know."""
        match block["type"]:
            case "tool_use":
                return {"type": "tool_use", "id": self._new_id("toolu"), **block}
            case "thinking":
                shown = (request.body.get("thinking") or {}).get("display")
                visible = request.traits.shows_thinking if shown is None else shown == "summarized"
                thinking = block["thinking"] if visible else ""
                signature = sign_thinking(request.model, prompt, thinking)
                return {"type": "thinking", "thinking": thinking, "signature": signature}
        return block

    def _draw(self, latency: Latency | None) -> float:
        latency = latency or self._rules.latency
        if latency is None:
            return self._default_latency_seconds
        if latency.min == latency.max:
            return latency.min
        return self._random.uniform(latency.min, latency.max)

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_sim{self._prefix}{next(self._numbers):08x}"


def _answer_json(data: JsonObject, request_id: str) -> Answer:
    return Answer(200, request_id, [to_json(data)])


def _answer_error(error: ApiError, request_id: str) -> Answer:
    return Answer(
        error.status,
        request_id,
        [error_body(error.kind, error.message, request_id)],
        retry_after_seconds=error.retry_after_seconds,
    )


def _api_error(error: ErrorReply) -> ApiError:
    known = error.status in HTTPStatus.__members__.values()
    phrase = HTTPStatus(error.status).phrase if known else "Overloaded"
    return ApiError(
        error.status,
        error.message or phrase,
        kind=error.type,
        retry_after_seconds=error.retry_after,
    )
