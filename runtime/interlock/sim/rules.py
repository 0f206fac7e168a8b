"""What a rules file may say: which requests a rule takes, and what it answers."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from interlock.model.base import Document, Json, JsonObject

__all__ = [
    "Count",
    "ErrorReply",
    "Fault",
    "Latency",
    "Nth",
    "Regex",
    "Reply",
    "ReplyUsage",
    "Rule",
    "SimRules",
    "ToolUse",
    "When",
]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def _compile_regex(value: object) -> re.Pattern[str]:
    if not isinstance(value, str):
        raise PydanticCustomError("regex", "must be a regular expression in quotes")
    try:
        return re.compile(value)
    except re.error as error:
        raise PydanticCustomError(
            "regex", "is not a regular expression: {problem}", {"problem": str(error)}
        ) from error


def _parse_seconds(value: object) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("duration", "must be a time such as 50ms, 2s or 1m")
    return float(match[1]) * _UNITS[match[2]]


def _spread(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    _parse_seconds(value)
    return {"min": value, "max": value}


Regex = Annotated[re.Pattern[str], PlainValidator(_compile_regex)]
"""A regular expression; it is searched for, anchors are the author's."""

_Seconds = Annotated[float, BeforeValidator(_parse_seconds)]


class _Range(Document):
    min: _Seconds
    max: _Seconds

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError("range", "min must not be above max")
        return self


Latency = Annotated[_Range, BeforeValidator(_spread)]
"""How long to wait before answering, in seconds: `300ms`, or drawn from `{min, max}`."""

Fault = Literal["drop", "truncate", "disconnect", "malformed", "hang", "streamError"]
"""A broken answer.

`drop`: the connection closes with no reply. `truncate`: a stream ends early but cleanly, a body is
shorter than announced. `disconnect`: the connection closes in the middle of either. `malformed`:
200 with broken JSON. `hang`: no answer, ever. `streamError`: an `error` event in mid-stream; a
request without `stream` gets 529.
"""


class Nth(Document):
    """Takes every n-th of the requests that fulfil the other conditions.

    `{every: 10}` takes the 10th, 20th, ..., `{every: 10, phase: 3}` the 3rd, 13th, ...
    """

    every: int = Field(ge=1)
    phase: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.phase >= self.every:
            raise PydanticCustomError("nth", "phase must be less than every")
        return self


class Count(Document):
    """A number with bounds."""

    min: int = Field(default=0, ge=0)
    max: int | None = Field(default=None, ge=0)


class When(Document):
    """The conditions of a rule; all that are given must hold."""

    format: str | None = None
    """The title of the schema in `output_config.format`, in any case; or `any`, or `none`."""
    model: Regex | None = None
    system: Regex | None = None
    """Over the system prompt."""
    user: Regex | None = None
    """Over the customer's text: the first text of the last user message without tool results."""
    text: Regex | None = None
    """Over all text of the last message, tool results included."""
    offered: tuple[str, ...] = ()
    """Tools that are all offered."""
    not_offered: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    """Tools that were all called since the customer's text."""
    not_called: tuple[str, ...] = ()
    results: dict[str, Regex] = Field(default_factory=dict)
    """Over the newest result of each of these tools."""
    tool_choice: Literal["none", "auto", "any", "tool"] | None = None
    """`none` also when no tools are offered."""
    messages: Count | None = None
    """How many messages the request has."""
    header: dict[str, Regex] = Field(default_factory=dict)
    times: int | None = Field(default=None, ge=1)
    """Only the first so many requests that fulfil the other conditions."""
    nth: Nth | None = None

    @model_validator(mode="after")
    def _one_counter(self) -> Self:
        if self.times is not None and self.nth is not None:
            raise PydanticCustomError("counters", "takes either times or nth, not both")
        return self

    @property
    def is_always(self) -> bool:
        """Whether every request fulfils the conditions."""
        return not self.model_fields_set


class ToolUse(Document):
    """A tool call in a reply. Strings in `input` are templates."""

    name: str
    input: JsonObject = Field(default_factory=dict)


class ReplyUsage(Document):
    """What the reply claims to have cost."""

    output: int = Field(ge=0)


class Reply(Document):
    """A message. Its blocks come in the order thinking, text or json, tools."""

    text: str | None = None
    json_value: Json = Field(default=None, alias="json")
    """Any value whose strings are templates; sent as one text block of JSON."""
    tools: tuple[ToolUse, ...] = ()
    thinking: str | None = None
    content: tuple[Any, ...] | None = None
    """Raw blocks, sent as they are."""
    stop_reason: str | None = None
    """`tool_use` if there are tool calls, else `end_turn`."""
    refusal_category: str | None = None
    usage: ReplyUsage | None = None
    latency: Latency | None = None

    @property
    def has_json(self) -> bool:
        """Whether the reply is JSON; its value may be null."""
        return "json_value" in self.model_fields_set

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        texts = (self.text is not None) + self.has_json
        parts = texts + bool(self.tools) + (self.thinking is not None)
        if texts > 1:
            raise PydanticCustomError("reply", "takes either text or json, not both")
        if self.content is not None and parts:
            raise PydanticCustomError("reply", "takes content without text, json, tools, thinking")
        if self.content is None and not parts:
            raise PydanticCustomError("reply", "needs text, json, tools, thinking or content")
        if self.refusal_category is not None and self.stop_reason != "refusal":
            raise PydanticCustomError("reply", "refusalCategory needs stopReason: refusal")
        return self


class ErrorReply(Document):
    """An HTTP error in the API's shape. `type` and `message` default to what fits the status."""

    status: int = Field(ge=400, le=599)
    type: str | None = None
    message: str | None = None
    retry_after: float | None = Field(default=None, ge=0)
    """Seconds, sent as the header `retry-after`."""


class Rule(Document):
    """The requests that fulfil `when` get the reply, the error or the fault."""

    name: str = Field(min_length=1)
    when: When = Field(default_factory=When)
    latency: Latency | None = None
    reply: Reply | None = None
    error: ErrorReply | None = None
    fault: Fault | None = None

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        given = [part for part in (self.reply, self.error, self.fault) if part is not None]
        if len(given) != 1:
            raise PydanticCustomError("answer", "needs exactly one of reply, error and fault")
        return self


class SimRules(Document):
    """A rules file. The first rule whose conditions hold answers the request."""

    latency: Latency | None = None
    """For every rule that does not set its own."""
    seed: int = 0
    """Of drawn latencies and of `random` in templates."""
    models: Literal["claude", "any"] = "claude"
    """Which model ids exist: `claude-*`, or every one."""
    rules: tuple[Rule, ...]
