"""A runtime that the tests decide, behind the real application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx2

from interlock.config.load import load
from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.config.surroundings import Surroundings
from interlock.errors import ConversationNotFound, UnknownAgent
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.settings import Reload
from interlock.model.turn import Spent, TurnResult
from interlock.reload.activation import Activation
from interlock.reload.outcome import ReloadOutcome
from interlock.reload.session_keys import PreparedKey
from interlock.reload.standing import Standing
from interlock.reload.supervisor import Supervisor
from interlock.reload.watch import Watch
from interlock.runtime import Answered, Runtime
from interlock.service.app import create_app
from interlock.service.metrics import Metrics
from interlock.store.people_records import Feedback, StoredMessage
from interlock.store.records import Conversation, StoredKey, Switch, Turn, TurnNotFound

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)

_SETTINGS = """
providers: {anthropic: {apiKey: {env: ANTHROPIC_API_KEY, default: very-secret}}}
models: {sonnet: {provider: anthropic, model: claude-sonnet-4-6}}
server: {maxBodyBytes: 30000}
"""
_AGENT = """
name: support
description: Answers questions about orders.
models: {plan: sonnet, execute: sonnet}
limits: {maxTokens: 9000, maxCostUsd: 0.25, turnTimeout: 30s}
tools: [get_order]
prompts: {system: You help.}
"""
_TOOL = """
name: get_order
category: lookup
description: Returns an order.
whenToUse: The customer asks for an order.
http: {url: 'http://127.0.0.1:9/orders'}
"""


def make_snapshot(*, keys: Sequence[str] = (), reload: str = "{}", role: str = "admin") -> Snapshot:
    """A valid configuration; `keys` are the hashes of its API keys, all with one `role`."""
    entries = ", ".join(
        f"{{name: key{n}, sha256: '{key}', role: {role}}}" for n, key in enumerate(keys)
    )
    settings = f"{_SETTINGS}\nauth: {{keys: [{entries}]}}\nreload: {reload}"
    files = {
        "interlock.yaml": settings.encode(),
        "agents.d/support.yaml": _AGENT.encode(),
        "tools.d/orders.yaml": _TOOL.encode(),
    }
    surroundings = Surroundings(environment={}, guardrails={}, has_price=lambda *_: True)
    return load(Source(files), surroundings).require()


RESULT = TurnResult(
    outcome="resolved",
    reply="It was shipped.",
    reason="end_turn",
    iterations=1,
    model_calls=2,
    tool_calls=1,
    tokens=1200,
    cost_nano=1_234_000,
    unpriced_calls=0,
)

CONVERSATION = Conversation(
    id="conv_1",
    agent="support",
    customer_id="C-1",
    session={"customerId": "C-1", "token": "very-secret"},
    created_at=NOW,
    updated_at=NOW,
    spent=Spent(1200, 1_234_000),
    unpriced_calls=0,
)

TURN = Turn(
    id="turn_1",
    conversation_id="conv_1",
    sequence=1,
    state="ended",
    text="Where is it?",
    snapshot="d" * 64,
    outcome="resolved",
    reply="It was shipped.",
    reason="end_turn",
    iterations=1,
    model_calls=2,
    tool_calls=1,
    tokens=1200,
    cost_nano=1_234_000,
    unpriced_calls=0,
    escalation=None,
    started_at=NOW,
    ended_at=NOW,
)

RUNNING = replace(
    TURN,
    id="turn_2",
    state="running",
    outcome=None,
    reply=None,
    reason=None,
    iterations=0,
    model_calls=0,
    tool_calls=0,
    tokens=0,
    cost_nano=0,
    ended_at=None,
)


def make_event(**changes: Any) -> TraceEvent:
    """A trace event of `TURN`."""
    event = TraceEvent(
        turn_id="turn_1",
        sequence=1,
        type="plan",
        time=NOW,
        conversation_id="conv_1",
        customer_id="C-1",
        agent="support",
        snapshot="d" * 64,
        iteration=1,
    )
    return replace(event, **changes)


class FakePeople:
    """Nobody gave feedback."""

    async def feedback(self, conversation_id: str) -> dict[str, Feedback]:
        return {}


@dataclass
class FakeStore:
    """Holds what the test puts in; `failure` is raised by every read."""

    known: list[Conversation] = field(default_factory=lambda: [CONVERSATION])
    kept_turns: list[Turn] = field(default_factory=lambda: [TURN])
    kept_events: list[TraceEvent] = field(default_factory=list)
    kept_keys: list[StoredKey] = field(default_factory=list)
    used_keys: list[tuple[str, datetime]] = field(default_factory=list)
    failure: Exception | None = None
    scopes: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    people: FakePeople = field(default_factory=FakePeople)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def conversation(self, conversation_id: str) -> Conversation:
        self._fail()
        for each in self.known:
            if each.id == conversation_id:
                return each
        raise ConversationNotFound(conversation_id)

    async def conversation_facts(self, conversation_id: str) -> Conversation:
        return await self.conversation(conversation_id)

    async def api_keys(self) -> tuple[StoredKey, ...]:
        return tuple(self.kept_keys)

    def record_key_use(self, key_id: str, at: datetime) -> None:
        self.used_keys.append((key_id, at))

    async def conversations(
        self,
        *,
        customer_id: str | None = None,
        limit: int = 50,
        before: str | None = None,
        **scope: Any,
    ) -> tuple[Conversation, ...]:
        self._fail()
        self.asked.append({"customer_id": customer_id, "limit": limit, "before": before})
        self.scopes.append(scope)
        return tuple(self.known[:limit])

    async def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        self._fail()
        return tuple(turn for turn in self.kept_turns if turn.conversation_id == conversation_id)

    async def messages(self, conversation_id: str) -> tuple[StoredMessage, ...]:
        found = []
        for turn in await self.turns(conversation_id):
            found.append(StoredMessage("customer", turn.text, None, turn.id, turn.started_at))
            if turn.reply is not None and turn.ended_at is not None:
                found.append(StoredMessage("agent", turn.reply, None, turn.id, turn.ended_at))
        return tuple(found)

    async def turn(self, turn_id: str) -> Turn:
        self._fail()
        for each in self.kept_turns:
            if each.id == turn_id:
                return each
        raise TurnNotFound(turn_id)

    async def events(self, turn_id: str) -> tuple[TraceEvent, ...]:
        self._fail()
        return tuple(event for event in self.kept_events if event.turn_id == turn_id)


@dataclass
class FakePlugins:
    def states(self) -> dict[str, Any]:
        return {}


@dataclass
class FakeGeneration:
    snapshot: Snapshot
    session_keys: tuple[PreparedKey, ...] = ()
    plugins: FakePlugins = field(default_factory=FakePlugins)


@dataclass
class FakeHeld:
    generation: FakeGeneration
    number: int = 1
    since: datetime = NOW
    replaced_at: datetime | None = None
    turns: int = 0

    @property
    def digest(self) -> str:
        return self.generation.snapshot.digest


@dataclass
class FakeGenerations:
    active: FakeHeld
    draining: tuple[FakeHeld, ...] = ()
    trial: None = None


@dataclass
class FakeSupervisor:
    """Stands as the test decides; `outcome` answers a reload."""

    generations: FakeGenerations
    standing: Standing = field(default_factory=lambda: Standing("f" * 64))
    restart_needed: tuple[str, ...] = ()
    outcome: ReloadOutcome | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    watch: Watch = field(default_factory=lambda: Watch(Path("nowhere"), resync=lambda: 2.0))

    @property
    def active(self) -> Snapshot:
        return self.generations.active.generation.snapshot

    @property
    def rules(self) -> Reload:
        return self.active.settings.reload

    @property
    def activation(self) -> Activation:
        digest, files = self.active.digest, self.active.files
        return Activation(digest, None, NOW, "start", None, None, files)

    async def reload(self, trigger: str, **wishes: Any) -> ReloadOutcome:
        self.asked.append({"trigger": trigger, **wishes})
        assert self.outcome is not None
        return self.outcome


@dataclass
class FakeSwitches:
    active: tuple[Switch, ...] = ()


@dataclass
class FakeRuntime:
    """Answers with `result`, or raises `failure`; keeps what it was sent."""

    generation: FakeGeneration
    store: FakeStore = field(default_factory=FakeStore)
    result: TurnResult = RESULT
    failure: Exception | None = None
    events: Sequence[TraceEvent] = ()
    stopping: bool = False
    turns_running: int = 0
    switches: FakeSwitches = field(default_factory=FakeSwitches)
    sent: list[tuple[str, str]] = field(default_factory=list)
    opened: list[tuple[str, str | None, JsonObject]] = field(default_factory=list)
    supervisor: FakeSupervisor = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = FakeSupervisor(FakeGenerations(FakeHeld(self.generation)))

    async def create_conversation(
        self,
        agent: str,
        *,
        customer_id: str | None,
        session: JsonObject,
        api_key: str | None = None,
    ) -> Conversation:
        if agent != "support":
            raise UnknownAgent(agent, ["support"])
        self.opened.append((agent, customer_id, session))
        return CONVERSATION

    async def check_open(self, conversation_id: str) -> None:
        await self.store.conversation(conversation_id)

    async def send(
        self,
        conversation_id: str,
        text: str,
        *,
        listener: Callable[[TraceEvent], None] | None = None,
    ) -> Answered:
        if self.failure is not None:
            raise self.failure
        await self.store.conversation(conversation_id)
        self.sent.append((conversation_id, text))
        for event in self.events:
            if listener is not None:
                listener(event)
        return Answered("turn_1", conversation_id, "d" * 64, self.result)


def make_runtime(
    *, keys: Sequence[str] = (), reload: str = "{}", role: str = "admin"
) -> FakeRuntime:
    """A runtime that holds `CONVERSATION` and answers with `RESULT`."""
    return FakeRuntime(FakeGeneration(make_snapshot(keys=keys, reload=reload, role=role)))


@asynccontextmanager
async def client_of(fake: FakeRuntime):
    """An HTTP client of the application, without a network."""
    supervisor = cast(Supervisor, fake.supervisor)
    app = create_app(cast(Runtime, fake), supervisor=supervisor, metrics=Metrics(supervisor))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
