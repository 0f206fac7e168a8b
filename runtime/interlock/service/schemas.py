"""What the API gives, as pydantic models: the source of `/openapi.json`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from interlock.model.base import JsonObject
from interlock.model.event import EventType
from interlock.model.turn import Outcome, Role
from interlock.store.records import SwitchKind

__all__ = [
    "AgentLimits",
    "AgentList",
    "AgentView",
    "Answer",
    "ConversationDetail",
    "ConversationPage",
    "ConversationSummary",
    "ErrorDetail",
    "Escalation",
    "FeedbackView",
    "Finding",
    "Health",
    "HealthReason",
    "Probe",
    "Problem",
    "Schema",
    "SwitchView",
    "TraceEventView",
    "TraceView",
    "TranscriptMessage",
    "TurnView",
]


class Schema(BaseModel):
    """The base of everything in the API: camelCase keys, no unknown ones, immutable."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


Usd = Annotated[str, Field(pattern=r"^\d+(\.\d+)?$", examples=["0.001234"])]
"""US dollars as a decimal string."""


class Escalation(Schema):
    """What a person needs who takes over."""

    model_config = ConfigDict(extra="allow")

    queue: str = Field(examples=["support-humans"])
    """Where the ticket goes."""
    reason: str = Field(examples=["repetition"])
    """Why the agent gave up, as one stable word."""
    detail: str | None = None
    """The particulars, in a sentence."""
    summary: str
    """What the customer wrote and what was done so far."""
    last_tool_call: JsonObject | None = None
    """The last tool call and its input."""


class Answer(Schema):
    """How a turn ended."""

    turn_id: str = Field(examples=["turn_0193a5c2f1e04b2f8c1d0e9a7b6c5d4e"])
    conversation_id: str = Field(examples=["conv_0193a5c2f1e04b2f8c1d0e9a7b6c5d4e"])
    outcome: Outcome
    """`resolved`, or what kept the turn from it."""
    reply: str = Field(examples=["Your order ORD-1001 was shipped yesterday."])
    """What the customer reads; never empty."""
    reason: str = Field(examples=["end_turn"])
    """Why the turn ended so, as one stable word."""
    iterations: int
    """Plan, execute, observe cycles."""
    model_calls: int
    tool_calls: int
    tokens: int
    """Input and output tokens of all model calls."""
    cost_usd: Usd | None
    """The cost of the calls whose price is known; null if none is. Null never means 0."""
    unpriced_calls: int
    """Model calls whose price is unknown, which `costUsd` leaves out."""
    escalation: Escalation | None
    """For `escalated`: what was handed over."""
    snapshot: str
    """Digest of the configuration that the turn ran on."""


class FeedbackView(Schema):
    """What a customer thinks of a turn."""

    rating: Annotated[int, Field(ge=1, le=5)]
    """1 is bad, 5 is good."""
    text: str | None
    at: datetime


class TurnView(Schema):
    """One turn: running, or ended."""

    id: str
    conversation_id: str
    state: Literal["running", "ended"]
    text: str
    """The customer's message; of a turn that a colleague's decision began, what the model was
    told of it."""
    outcome: Outcome | None
    """Null while the turn is running; so are all numbers, `reply`, `reason` and `endedAt`."""
    reply: str | None
    reason: str | None
    iterations: int | None
    model_calls: int | None
    tool_calls: int | None
    tokens: int | None
    cost_usd: Usd | None
    """The cost of the calls whose price is known; null if none is. Null never means 0."""
    unpriced_calls: int | None
    """Model calls whose price is unknown, which `costUsd` leaves out."""
    escalation: Escalation | None
    snapshot: str
    """Digest of the configuration that the turn ran on."""
    started_at: datetime
    ended_at: datetime | None
    feedback: FeedbackView | None = None


class TranscriptMessage(Schema):
    """One message of a conversation."""

    role: Role
    """`person` is a colleague who took over."""
    text: str
    author: str | None = None
    """The colleague's name: that of their API key."""
    turn_id: str
    """The turn that the message began or ended; of a colleague's, the one that called them."""
    time: datetime


class ConversationSummary(Schema):
    """A conversation and what it has used so far."""

    id: str
    agent: str
    customer_id: str | None
    created_at: datetime
    updated_at: datetime
    """When a turn last began or ended."""
    tokens: int
    cost_usd: Usd | None
    """The cost of the calls whose price is known; null if none is. Null never means 0."""
    unpriced_calls: int
    """Model calls whose price is unknown, which `costUsd` leaves out."""


class ConversationDetail(ConversationSummary):
    """A conversation with all that was said and done."""

    messages: list[TranscriptMessage]
    """Oldest first."""
    turns: list[TurnView]
    """Oldest first."""


class ConversationPage(Schema):
    """Some conversations, newest first."""

    conversations: list[ConversationSummary]
    next: str | None
    """Give it as `before` to get the next page; null on the last one."""


class TraceEventView(Schema):
    """One fact about a turn."""

    sequence: int
    """Counts from 1 within the turn."""
    type: EventType
    time: datetime
    conversation_id: str
    customer_id: str | None
    turn_id: str
    agent: str
    snapshot: str
    """Digest of the configuration that the turn ran on."""
    iteration: int
    """0 before the first plan."""
    latency_ms: float | None
    model: str | None
    tokens: int | None
    cost_usd: Usd | None
    """Null where nothing was billed or the price is unknown."""
    data: JsonObject
    """What there is to say about such an event; it depends on `type`."""


class TraceView(Schema):
    """Everything that was recorded about a turn."""

    turn_id: str
    state: Literal["running", "ended"]
    """The trace of a running turn is not complete."""
    events: list[TraceEventView]


class AgentLimits(Schema):
    """What one conversation with an agent may use."""

    max_iterations: int
    """Plan, execute, observe cycles in a turn."""
    max_tokens: int
    """Input and output tokens of a conversation."""
    max_cost_usd: Usd | None
    """Money for a conversation; null for no limit."""
    turn_timeout_seconds: float
    tool_timeout_seconds: float


class AgentView(Schema):
    """An agent that can be talked to."""

    name: str
    description: str
    tools: list[str]
    limits: AgentLimits


class AgentList(Schema):
    """The agents of the active configuration."""

    agents: list[AgentView]


class SwitchView(Schema):
    """An agent or a tool that an operator has switched off."""

    kind: SwitchKind
    name: str = Field(examples=["create_refund"])
    agent: str | None
    """The only agent for which the tool is off; null if it is off for all, and for an agent."""
    since: datetime
    who: str | None
    """The API key of whoever switched it off."""
    why: str


class Probe(Schema):
    """The answer to a probe."""

    status: Literal["ok"]


HealthReason = Literal["config_rejected", "resumed", "store_unavailable", "watch_down"]
"""What keeps a service from being in order."""


class Health(Schema):
    """How the service is."""

    status: Literal["ok", "degraded", "stopping"]
    """`degraded`: it works, but `reasons` ask for a person. `stopping`: it takes no messages."""
    reasons: list[HealthReason]
    """`config_rejected`: the files are not valid, so the configuration before them serves on.
    `resumed`: the configuration is the last good one of an earlier run. `watch_down`: changes of
    the files are found late. `store_unavailable`: the store does not answer."""
    generation: int
    """Number of the active configuration, from 1 in each process."""
    snapshot: str
    """Digest of the active configuration."""
    rolled_back: str | None
    """Digest of the files, if they were passed over for an earlier configuration."""
    switches: list[SwitchView]
    """What operators have switched off; nothing is wrong with the service because of it."""
    turns_running: int
    version: str


class ErrorDetail(Schema):
    """One thing that is wrong with a request."""

    where: str = Field(examples=["text"])
    """The field or parameter."""
    message: str = Field(examples=["String should have at least 1 character"])


class Finding(Schema):
    """One finding about a configuration."""

    severity: Literal["error", "warning"]
    code: str = Field(examples=["ILK-C003"])
    """What is wrong, as one stable word; `interlock explain` tells more."""
    message: str = Field(examples=["limits.maxIterations must be at least 1, got 0"])
    file: str = Field(examples=["agents.d/support.yaml"])
    line: int
    column: int
    where: str = Field(examples=["limits.maxIterations"])
    """The path inside the document; empty for a whole one."""
    hint: str | None
    text: str
    """The finding with its line of the file, as a terminal shows it."""


class Problem(Schema):
    """An error, as RFC 9457 has it."""

    type: str = Field(examples=["urn:interlock:error:conversation_not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no conversation 'conv_1'"])
    code: str = Field(examples=["conversation_not_found"])
    """What went wrong, as one stable word."""
    errors: list[ErrorDetail] | None = None
    """For a request that is not valid: everything that is wrong with it."""
    findings: list[Finding] | None = None
    """For a configuration that is not applied: everything that is wrong with it."""
    instance: str = Field(examples=["urn:interlock:request:req_0193a5c2f1e04b2f8c1d0e9a7b6c5d4e"])
    """Names the request; log lines about it carry the same id."""
