"""Turns without a world: a scripted `Ctx`, replies to script it with, and agents from YAML.

Every request that a turn makes is checked by the simulator's own rules, so no test here can
pass with a prompt that the Messages API would refuse.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pydantic_core import to_json

from interlock.config.load import load
from interlock.config.source import Source
from interlock.cost.prices import price_of
from interlock.guardrails import build_guards
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.result import ToolResult
from interlock.model.turn import Message, Spent, TurnRequest, TurnResult
from interlock.model.usage import Usage
from interlock.sim.errors import ApiError
from interlock.sim.validation import validate_request
from interlock.turn.agent import CompiledAgent
from interlock.turn.compile import compile_agent
from interlock.turn.guard import Deny, Guardrail, GuardrailInput, Guards, Judge, Use
from interlock.turn.loop import run_turn
from interlock.turn.ports import LedgerEntry, ModelFailure, ModelReply, StepName
from tests.unit.config.project import surroundings

SETTINGS = """
providers:
  anthropic: {apiKey: {env: API_KEY, default: none}}
models:
  haiku: {provider: anthropic, model: claude-haiku-5-5, maxTokens: 1000}
  sonnet: {provider: anthropic, model: claude-sonnet-5-5, maxTokens: 1000}
  opus: {provider: anthropic, model: claude-opus-5-5, maxTokens: 1000}
variables: {company: Northwind}
environment: {SHOP_URL: http://127.0.0.1:8090}
"""

AGENT = """
name: support
description: Answers customers about orders.
models: {plan: haiku, execute: sonnet, reason: opus, fastPath: haiku}
tools: [get_order, get_shipping, list_orders, create_return, add_note, call_a_person]
prompts: {system: 'You answer for {{ company }}.'}
"""

TOOLS = """
name: get_order
category: lookup
description: Returns one order.
whenToUse: The customer names an order.
input:
  type: object
  properties: {order_id: {type: string, pattern: '^ORD-\\d+$'}}
  required: [order_id]
bind: {customer_id: '{{ session.customerId }}'}
http: {url: '{{ env.SHOP_URL }}/orders/{{ input.order_id }}'}
---
name: get_shipping
category: lookup
description: Follows the parcel of an order.
whenToUse: The customer asks where a parcel is.
input:
  type: object
  properties: {order_id: {type: string}}
  required: [order_id]
http: {url: '{{ env.SHOP_URL }}/shipments/{{ input.order_id }}'}
---
name: list_orders
category: search
description: Lists orders.
whenToUse: The customer asks about several orders.
input:
  type: object
  properties: {status: {type: string}, page: {type: integer}}
http: {url: '{{ env.SHOP_URL }}/orders'}
---
name: create_return
category: mutation
description: Opens a return.
whenToUse: The customer wants to send goods back.
input:
  type: object
  properties: {order_id: {type: string}, reason: {type: string}}
  required: [order_id]
bind: {customer_id: '{{ session.customerId }}'}
http: {method: POST, url: '{{ env.SHOP_URL }}/returns'}
idempotency: {header: Idempotency-Key, key: [order_id]}
---
name: add_note
category: mutation
description: Adds a note for the staff.
whenToUse: The customer says something that staff should know.
input:
  type: object
  properties: {note: {type: string}}
  required: [note]
http: {method: POST, url: '{{ env.SHOP_URL }}/notes'}
---
name: call_a_person
category: escalation
description: Calls a person.
whenToUse: The customer asks for a person.
input:
  type: object
  properties: {reason: {type: string}}
"""

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

Reply = ModelReply | ModelFailure | BaseException
Script = Sequence[Reply | Callable[[JsonObject], Reply]] | Callable[[JsonObject], Reply]
ToolFunction = Callable[[JsonObject], ToolResult]


def compiled(
    extra: str = "",
    *,
    agent: str = AGENT,
    tools: str = TOOLS,
    settings: str = SETTINGS,
    guards: Guards | None = None,
) -> CompiledAgent:
    """The agent of this YAML, loaded and compiled as the service does it; `extra` is appended."""
    texts = {
        "interlock.yaml": settings,
        "agents.d/support.yaml": f"{agent}\n{extra}",
        "tools.d/tools.yaml": tools,
    }
    source = Source({path: text.encode() for path, text in texts.items()})
    snapshot = load(source, surroundings()).require()
    (name, spec) = next(iter(snapshot.agents.items()))
    return compile_agent(
        spec,
        snapshot=snapshot.digest,
        system=snapshot.prompts[name].system,
        planner=snapshot.prompts[name].planner,
        reinforcement=snapshot.prompts[name].reinforcement,
        tools=snapshot.tools,
        settings=snapshot.settings,
        price_of=partial(price_of, overrides=snapshot.settings.prices),
        guards=build_guards(spec) if guards is None else guards,
    )


def asking(
    text: str = "Where is ORD-1001?",
    *,
    transcript: Sequence[Message] = (),
    spent: Spent | None = None,
    turn_id: str = "turn_1",
    session: JsonObject | None = None,
) -> TurnRequest:
    """A message of the customer CUST-1."""
    return TurnRequest(
        turn_id=turn_id,
        conversation_id="conv_1",
        customer_id="CUST-1",
        session={"customerId": "CUST-1"} if session is None else session,
        text=text,
        transcript=tuple(transcript),
        spent=spent or Spent(),
    )


def reply(
    content: Sequence[JsonObject],
    stop_reason: str | None = "end_turn",
    *,
    usage: Usage | None = None,
    seconds: float = 0.0,
    details: JsonObject | None = None,
) -> ModelReply:
    """A model's reply that took `seconds`."""
    usage = Usage(input=100, output=20) if usage is None else usage
    return ModelReply(list(content), stop_reason, usage, "req_1", seconds * 1000, details)


def says(
    text: str, stop_reason: str | None = "end_turn", *, usage: Usage | None = None
) -> ModelReply:
    """A reply that is a text."""
    return reply([{"type": "text", "text": text}], stop_reason, usage=usage)


def calls(*made: tuple[str, JsonObject], text: str = "", usage: Usage | None = None) -> ModelReply:
    """A reply that calls tools."""
    content: list[JsonObject] = [{"type": "text", "text": text}] if text else []
    for number, (name, arguments) in enumerate(made):
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
        content.append(block)
    return reply(content, "tool_use", usage=usage)


def step(kind: str, instruction: str = "Do it.", **more: Any) -> JsonObject:
    """A step as a planner writes it."""
    blank: JsonObject = {"tools": [], "priority": "required", "hard": False}
    return {"type": kind, "instruction": instruction, **blank, **more}


def plans(*steps: str | JsonObject, usage: Usage | None = None) -> ModelReply:
    """A planner's reply; a step may be just its type."""
    written = [step(item) if isinstance(item, str) else item for item in steps]
    return says(to_json({"steps": written}).decode(), usage=usage)


def fails(
    kind: Any = "overloaded",
    *,
    status: int | None = 529,
    retry_after: float | None = None,
    maybe_billed: bool = False,
) -> ModelFailure:
    """A model call without an answer."""
    return ModelFailure(kind, f"it was {kind}", status, retry_after, maybe_billed, "req_1", 5.0)


def found(data: Any = None, **more: Any) -> ToolFunction:
    """A tool that always gives this."""
    result = ToolResult("success", {"ok": True} if data is None else data, attempts=1)
    return lambda arguments: replace(result, **more)


def broken(message: str = "the service is down", **more: Any) -> ToolFunction:
    """A tool that always fails."""
    result = replace(ToolResult.error(message, **more), attempts=1)
    return lambda arguments: result


class Hang(Exception):
    """In a script: the model never answers, until the call is cancelled."""


@dataclass
class ScriptedCtx:
    """The `Ctx` port, played from a script, with a clock that only moves when it is told to."""

    script: Script
    tools: Mapping[str, ToolFunction] = field(default_factory=dict)
    requests: list[JsonObject] = field(default_factory=list)
    """The bodies of all model calls, in order."""
    timeouts: list[float] = field(default_factory=list)
    """The time that each of them was given, in seconds."""
    log: list[str] = field(default_factory=list)
    """What happened: `model:MODEL`, `tools:NAME,NAME`, `mutate:NAME`, `sleep:SECONDS`."""
    steps: list[tuple[StepName, JsonObject]] = field(default_factory=list)
    """Everything that was asked of the world, as it was asked."""
    made: list[tuple[str, JsonObject]] = field(default_factory=list)
    """The tool calls that were carried out, with their inputs."""
    keys: list[str] = field(default_factory=list)
    """The keys of all mutations that were asked for."""
    events: list[TraceEvent] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """What the Messages API would have refused."""
    effects: dict[str, JsonObject] = field(default_factory=dict)
    clock: datetime = START
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a call hangs."""
    agent_off: JsonObject | None = None
    tools_off: dict[str, JsonObject] = field(default_factory=dict)
    """What is switched off at the moment."""

    async def step(self, name: StepName, args: JsonObject) -> JsonObject:
        """Plays a step."""
        to_json(args)  # every step must be JSON
        self.steps.append((name, args))
        if name == "model_call":
            return await self._model_call(args)
        calls = args["calls"]
        self.log.append(f"tools:{','.join(call['tool'] for call in calls)}")
        return {"results": [self._tool(call) for call in calls]}

    async def mutate(self, key: str, args: JsonObject) -> JsonObject:
        """Plays a mutation once for `key`."""
        to_json(args)
        self.steps.append(("mutation", args))
        self.keys.append(key)
        if key not in self.effects:
            self.log.append(f"mutate:{args['call']['tool']}")
            self.effects[key] = self._tool(args["call"])
        return self.effects[key]

    async def switches(self) -> JsonObject:
        """What is switched off."""
        return {"agent": self.agent_off, "tools": dict(self.tools_off)}

    async def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.log.append(f"sleep:{seconds:g}")
        self.advance(seconds)
        await asyncio.sleep(0)

    def emit(self, event: TraceEvent) -> None:
        """Keeps the event."""
        to_json(event.to_json())
        self.events.append(event)

    def charge(self, entry: LedgerEntry) -> None:
        """Keeps the entry."""
        self.ledger.append(entry)

    def now(self) -> datetime:
        """The time of the clock."""
        return self.clock

    def random(self) -> float:
        """Always the middle."""
        return 0.5

    def advance(self, seconds: float) -> None:
        """Moves the clock."""
        self.clock += timedelta(seconds=seconds)

    def data(self, kind: str) -> list[JsonObject]:
        """What the events of a type hold."""
        return [event.data for event in self.events if event.type == kind]

    async def _model_call(self, args: JsonObject) -> JsonObject:
        body = args["body"]
        self.log.append(f"model:{body['model'].split('-')[1]}")
        # A copy, as the turn may go on with the same body.
        self.requests.append({**body, "messages": list(body["messages"])})
        self.timeouts.append(args["timeoutSeconds"])
        self.refused += request_faults(body)
        await asyncio.sleep(0)
        answer = self._next(body)
        if isinstance(answer, Hang):
            self.hanging.set()
            await asyncio.Event().wait()
        if isinstance(answer, BaseException):
            raise answer
        if answer.latency_ms > args["timeoutSeconds"] * 1000:
            answer = fails("timeout", status=None, maybe_billed=True)
            self.advance(args["timeoutSeconds"])
        self.advance(answer.latency_ms / 1000)
        return answer.to_json()

    def _next(self, body: JsonObject) -> Reply:
        if callable(self.script):
            return self.script(body)
        number = len(self.requests)
        if number > len(self.script):
            raise AssertionError(f"call {number} is not in the script: {body}")
        item = self.script[number - 1]
        return item(body) if callable(item) else item

    def _tool(self, call: JsonObject) -> JsonObject:
        self.made.append((call["tool"], call["input"]))
        result = self.tools[call["tool"]](call["input"])
        self.advance(result.latency_ms / 1000)
        return result.to_json()


def request_faults(body: JsonObject) -> list[str]:
    """What the Messages API, or we, would not like about a request."""
    faults = []
    try:
        validate_request(body, any_model=True)
    except ApiError as error:
        faults.append(str(error))
    roles = [message["role"] for message in body["messages"]]
    if any(left == right for left, right in itertools.pairwise(roles)):
        faults.append(f"roles do not alternate: {roles}")
    blocks = [block for message in body["messages"] for block in message["content"]]
    for block in [*body["system"], *blocks]:
        if block["type"] == "text" and not block["text"].strip():
            faults.append("a text block is empty")
        if block["type"] == "tool_use" and not _TOOL_NAME.fullmatch(block["name"]):
            faults.append(f"the API takes no tool named {block['name']!r}")
    return faults


async def play(ctx: ScriptedCtx, agent: CompiledAgent, request: TurnRequest) -> TurnResult:
    """Runs a turn and checks what holds for every turn, however it ends."""
    result = await run_turn(ctx, agent, request)
    assert ctx.refused == []
    check_invariants(ctx, agent, result)
    if not callable(ctx.script):
        assert len(ctx.requests) == len(ctx.script), "the script was not played to its end"
    return result


def check_invariants(ctx: ScriptedCtx, agent: CompiledAgent, result: TurnResult) -> None:
    """What holds for every turn."""
    assert result.reply.strip()
    assert result.reason
    assert (result.escalation is not None) == (result.outcome == "escalated")
    assert result.iterations <= agent.spec.limits.max_iterations
    assert [event.sequence for event in ctx.events] == list(range(1, len(ctx.events) + 1))
    assert [event.type for event in ctx.events].count("response") == 1
    last = ctx.events[-1]
    assert last.type == "response"
    assert last.data == {
        "outcome": result.outcome,
        "reason": result.reason,
        "reply": result.reply,
    }
    assert result.tokens == sum(entry.usage.total for entry in ctx.ledger)
    assert result.cost_nano == sum(entry.cost_nano or 0 for entry in ctx.ledger)
    assert result.unpriced_calls == sum(entry.cost_nano is None for entry in ctx.ledger)
    assert result.model_calls == len(ctx.requests)
    assert result.tool_calls == len(ctx.data("tool_call")) == len(ctx.data("tool_result"))


def guards_of(**stages: Sequence[Guardrail]) -> Guards:
    """Guardrails at their places, used as they are when YAML says no more than their names."""
    return Guards(**{name: tuple(Use(each) for each in some) for name, some in stages.items()})


@dataclass(frozen=True)
class Saying:
    """A guardrail that objects to texts holding a word."""

    word: str
    name: str = "no_word"

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """What is wrong, or None."""
        await asyncio.sleep(0)
        return Deny(f"it says {self.word}") if self.word in data.text else None
