"""One agent, as declared by a file in `agents.d/`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from interlock.model.base import Document, Duration, JsonObject, Name, TextOrFile, Usd
from interlock.model.plan import StepType
from interlock.model.tool import Category

__all__ = [
    "Agent",
    "AgentBreakers",
    "Escalation",
    "FastPath",
    "FastPathCall",
    "FastPathMatch",
    "GuardrailUse",
    "Guardrails",
    "Limits",
    "OnViolation",
    "Planner",
    "Priority",
    "Prompts",
    "Reinforcement",
    "Repetition",
    "Replies",
    "Route",
    "Routes",
    "ToolFailures",
    "ToolSelection",
]

Route = Literal["plan", "execute", "reason", "validate", "fastPath"]
"""What a model call is for; each agent maps every route to a declared model."""

OnViolation = Literal["revise", "escalate", "refuse"]
"""What a guardrail's no leads to; `revise` is for answers only."""

Priority = Literal["low", "normal", "high", "urgent"]
"""How soon a person should look at an escalation."""

Positive = Annotated[int, Field(ge=1)]
Pattern = Annotated[str, Field(examples=[r"(?i)^where is (?P<order_id>ORD-\d+)\W*$"])]
MatchTemplate = Annotated[str, Field(examples=["{{ match.order_id }}"])]
ToolName = Annotated[Name, Field(examples=["get_order_status"])]


class Routes(Document):
    """Which model does what. The names are those of `models:` in interlock.yaml."""

    plan: Name = Field(examples=["haiku"])
    """Plans the steps; a cheap, fast model."""
    execute: Name = Field(examples=["sonnet"])
    """Carries out one step and writes the answer; a capable model."""
    reason: Name | None = Field(default=None, examples=["opus"])
    """Carries out the steps that the planner marks as hard; `execute` when left out."""
    validate_: Name | None = Field(default=None, alias="validate", examples=["haiku"])
    """Judges texts for guardrails; `plan` when left out."""
    fast_path: Name | None = Field(default=None, examples=["haiku"])
    """Words the answer of a fast path; `plan` when left out."""

    def name(self, route: Route) -> str:
        """The declared model that serves `route`."""
        match route:
            case "plan":
                return self.plan
            case "execute":
                return self.execute
            case "reason":
                return self.reason or self.execute
            case "validate":
                return self.validate_ or self.plan
            case "fastPath":
                return self.fast_path or self.plan


class Limits(Document):
    """The hard limits. Tokens and cost count for the whole conversation."""

    max_iterations: Annotated[int, Field(ge=1, le=200)] = 25
    """Plan, execute, observe cycles in one turn."""
    max_tokens: Positive = 50_000
    """Input and output tokens of all model calls of one conversation."""
    max_cost_usd: Usd | None = Field(default=None, examples=[0.5])
    """US dollars that one conversation may cost; needs models with known prices."""
    turn_timeout: Duration = timedelta(seconds=60)
    """How long one turn may take."""
    tool_timeout: Duration = timedelta(seconds=10)
    """How long one tool call may take, unless the tool says otherwise."""
    warn_at: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """The share of the budget after which optional steps are dropped."""
    reserve_for_final: Annotated[int, Field(ge=0)] = 2000
    """Tokens kept back for one last answer without tools."""
    transcript_tokens: Annotated[int, Field(ge=100)] = 8000
    """Earlier messages shown to the models; the oldest are left out first."""
    on_exhausted: Literal["complete", "escalate"] = "complete"
    """What a used-up limit leads to: a last answer from the reserve, or a person."""


class ToolSelection(Document):
    """Which tools the model sees in which step."""

    steps: dict[StepType, tuple[Category, ...]] = {
        "gather_info": ("lookup", "search"),
        "take_action": ("mutation",),
        "escalate": ("escalation",),
        "respond": (),
    }
    """The tool categories of each step type; escalation tools can always be reached."""
    max: Annotated[int, Field(ge=1, le=20)] = 5
    """Tools offered in one step."""


class Planner(Document):
    """How plans are made."""

    replan: Literal["always", "onChange"] = "always"
    """`always` plans anew in every iteration; `onChange` keeps a plan while its steps succeed."""


class Prompts(Document):
    """The agent's prompts: Jinja2 templates over `variables`, `session` and `agent`."""

    system: TextOrFile = Field(examples=["You are the support agent of {{ company }}."])
    """Who the agent is and how it works; the start of every prompt."""
    planner: TextOrFile | None = Field(
        default=None, examples=["You plan for {{ company }}. Prefer one look-up to three."]
    )
    """What the planner is told; a general text when left out."""


class Reinforcement(Document):
    """A reminder against drift, placed at the end of the prompt when it is due."""

    every: Positive = Field(examples=[8])
    """Messages between two reminders."""
    text: str = Field(min_length=1, examples=["Never promise {{ session.name }} a date."])
    """The reminder; a Jinja2 template like the prompts."""


class GuardrailUse(Document):
    """One use of a guardrail."""

    use: Name
    """The guardrail's name."""
    with_: JsonObject = Field(default={}, alias="with")
    """The guardrail's own settings."""
    on_violation: OnViolation | None = Field(default=None, examples=["escalate"])
    """What a violation leads to. On `input`: `refuse` (if left out) or `escalate`. On `output`:
    `revise`, `escalate` or `refuse`; if left out, what `guardrails.onViolation` says."""
    on_error: Literal["deny", "allow"] = "deny"
    """What it means that the guardrail fails or takes too long: a violation, or nothing."""
    timeout: Duration = timedelta(seconds=5)
    """How long it may take."""


class Guardrails(Document):
    """The checks on what comes in, passes through and goes out, in the order they run."""

    input: tuple[GuardrailUse, ...] = ()
    """On the customer's message; a violation refuses it."""
    tool_call: tuple[GuardrailUse, ...] = ()
    """On the input of a tool call; a violation becomes the call's error."""
    tool_result: tuple[GuardrailUse, ...] = ()
    """On what a tool returned; a violation withholds it."""
    output: tuple[GuardrailUse, ...] = ()
    """On the answer."""
    on_violation: OnViolation = "revise"
    """What a violation of an output guardrail leads to; `revise` tries once, then escalates."""


class Repetition(Document):
    """When the loop goes round in circles. All counts are for one turn."""

    identical_calls: Annotated[int, Field(ge=2)] = 3
    """The same call with the same result."""
    same_result: Annotated[int, Field(ge=2)] = 6
    """Different arguments to a reading tool that all give the same result."""
    polls: Annotated[int, Field(ge=2)] = 12
    """The same call, whatever its result."""


class ToolFailures(Document):
    """When tools fail for good."""

    after_iteration: Annotated[int, Field(ge=0)] = 3
    """Failures before this iteration has passed are left to the model."""
    consecutive: Positive = 3
    """Iterations in a row in which every tool call failed."""


class AgentBreakers(Document):
    """What ends a turn that does damage or goes nowhere."""

    repetition: Repetition = Repetition()
    """When calls and results repeat themselves."""
    tool_failures: ToolFailures = ToolFailures()
    """When tools keep failing."""


class FastPathMatch(Document):
    """Which messages take a fast path."""

    patterns: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    """Regular expressions; named groups become `match.NAME`."""
    max_characters: Positive = 300
    """Longer messages always go to the planner."""


class FastPathCall(Document):
    """The tool call that a fast path makes."""

    tool: Name = Field(examples=["get_order_status"])
    """The tool that is called; one of the agent's `tools`."""
    input: dict[str, MatchTemplate] = {}
    """Templates over `match` and `session`."""


class FastPath(Document):
    """A frequent question that needs one fixed tool call and one model call."""

    name: Name = Field(examples=["order_status"])
    """What the trace calls it."""
    match: FastPathMatch
    """The messages that take it."""
    call: FastPathCall
    """What is looked up before the answer is worded."""


class Escalation(Document):
    """How a conversation is handed to a person."""

    queue: Name = Field(default="humans", examples=["support-humans"])
    """The queue in which the ticket waits for a person."""
    message: str = "I am handing you over to a colleague who will get back to you."
    """What the customer reads."""
    waiting: str = "A colleague has your message and will answer you here."
    """What the customer reads who writes again before the person has closed or handed back."""
    priority: Priority = "normal"
    """How soon a person should look at it; the queue shows the most urgent first."""
    sla: Duration | None = Field(default=None, examples=["15m"])
    """How soon a person should have answered; later it is overdue. No limit if left out."""


class Replies(Document):
    """What the customer reads when a turn ends without a model's answer."""

    refused: str = "I am sorry, I cannot help with that."
    """For a message or an answer that a guardrail or the model refused."""
    incomplete: str = (
        "I am sorry, I could not finish this in time. Please try again, or ask for a colleague."
    )
    """For a turn that reached a limit with nothing to say."""
    failed: str = "I am sorry, something went wrong on our side. Please try again in a moment."
    """For a turn that broke: no model answered, or a fault of ours."""
    approval_pending: str = (
        "A colleague has to agree to this first. I have asked, and you will hear from us here."
    )
    """For a turn that waits for a person's yes to a tool call."""
    approval_done: str = "A colleague has agreed, and it has been done."
    """For a call that a person allowed, if no model can word what came of it."""
    approval_denied: str = "A colleague could not agree to this, so nothing was changed."
    """For a call that was not allowed, if no model can word it."""


class Agent(Document):
    """An agent: models, prompts, tools, limits, reinforcement and fast paths."""

    name: Name = Field(examples=["support"])
    """What conversations, other agents and reports call it."""
    description: str = Field(min_length=1, examples=["Answers customers about orders."])
    """What the agent is for, in a sentence."""
    models: Routes
    """Which model does what."""
    limits: Limits = Limits()
    """What a conversation and a turn may use at most."""
    tools: Annotated[tuple[ToolName, ...], Field(min_length=1)]
    """The names of the tools in `tools.d/` that the agent may use."""
    tool_selection: ToolSelection = ToolSelection()
    """Which of the tools the model sees in which step."""
    planner: Planner = Planner()
    """How plans are made."""
    prompts: Prompts
    """What the models are told."""
    variables: dict[str, str | int | float | bool] = {}
    """Values for the prompts, beside those of interlock.yaml."""
    reinforcement: tuple[Reinforcement, ...] = ()
    """Reminders against drift in long conversations."""
    guardrails: Guardrails = Guardrails()
    """The checks on what comes in, passes through and goes out."""
    breakers: AgentBreakers = AgentBreakers()
    """What ends a turn that goes nowhere."""
    fast_paths: tuple[FastPath, ...] = ()
    """Frequent questions that are answered without a plan; the first match counts."""
    escalation: Escalation = Escalation()
    """How a conversation is handed to a person."""
    replies: Replies = Replies()
    """What the customer reads when there is no model's answer."""

    @property
    def max_cost_nano(self) -> int | None:
        """The cost limit of one conversation in nano-dollars."""
        cost = self.limits.max_cost_usd
        return None if cost is None else int(cost * Decimal(1_000_000_000))
