"""The running system: generations, a store, and turns in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from pydantic_core import to_json

from interlock.cost.prices import price_of
from interlock.engine.breakers import Breakers
from interlock.engine.guarded import guard_services
from interlock.engine.memory import Effects, MemoryCtx
from interlock.engine.switches import Switches
from interlock.errors import InterlockError, UnknownAgent
from interlock.ids import new_id
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.result import ToolResult
from interlock.model.turn import Message, Resumed, TurnRequest, TurnResult
from interlock.people.desk import Desk
from interlock.people.people import People
from interlock.reload.generation import Generation
from interlock.reload.generations import Generations
from interlock.reload.held import Held
from interlock.store.people import finish_rows
from interlock.store.people_records import Approval
from interlock.store.records import Conversation
from interlock.store.statements import Rows
from interlock.store.store import Store
from interlock.turn.agent import CompiledAgent
from interlock.turn.follow_up import decision_text
from interlock.turn.loop import run_turn
from interlock.turn.ports import LedgerEntry
from interlock.turn.with_person import leave_to_person

__all__ = ["Answered", "Runtime", "ShuttingDown", "TurnInterrupted", "TurnObserver"]

Listener = Callable[[TraceEvent], None]


class ShuttingDown(InterlockError):
    """The service is stopping and takes no new messages."""

    code = "shutting_down"


class TurnInterrupted(InterlockError):
    """The service stopped before the turn had ended; some of its actions may have been done."""

    code = "turn_interrupted"


class TurnObserver(Protocol):
    """Hears of all turns. Must neither wait nor raise."""

    def event(self, event: TraceEvent) -> None:
        """Called with each trace event."""
        ...

    def charged(self, entry: LedgerEntry) -> None:
        """Called with the cost of each model call."""
        ...

    def ended(self, agent: str, result: TurnResult, seconds: float) -> None:
        """Called with the end of each turn."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """A turn that has ended."""

    turn_id: str
    conversation_id: str
    snapshot: str
    """Digest of the configuration that the turn ran on."""
    result: TurnResult


class Runtime:
    """Answers messages with the active generation, one turn at a time per conversation."""

    def __init__(
        self,
        generations: Generations,
        store: Store,
        *,
        observer: TurnObserver | None = None,
        project: Path = Path(),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.generations = generations
        self.store = store
        self.switches = Switches(store)
        """What operators have switched off; turns heed it whatever generation they run on."""
        self.breakers = Breakers(store, lambda: self.generation.snapshot)
        """What stops damage beyond one conversation, whatever generation a turn runs on."""
        self._observer = observer
        self._effects = Effects()
        self._queues: dict[str, _Queue] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self.people = People(
            store,
            generations,
            effects=self._effects,
            switches=self.switches,
            in_order=self._in_order,
            spawn=self._spawn,
            follow_up=self._follow_up,
            project=project,
            environment={} if environment is None else environment,
        )
        """Escalations and approvals: who is asked, and what they decide."""

    @property
    def generation(self) -> Generation:
        """The generation that new turns run on."""
        return self.generations.active.generation

    @property
    def turns_running(self) -> int:
        """Turns that have been taken and have not ended."""
        return len(self._running)

    @property
    def stopping(self) -> bool:
        """Whether new messages are refused, because the service is to end."""
        return self._stopping

    async def create_conversation(
        self,
        agent: str,
        *,
        customer_id: str | None,
        session: JsonObject,
        api_key: str | None = None,
    ) -> Conversation:
        """Opens a conversation; `api_key` is the name of the key for it. Raises `UnknownAgent`."""
        _agent(self.generation, agent)
        claims = session if customer_id is None else {"customerId": customer_id, **session}
        return await self.store.create_conversation(
            agent=agent, customer_id=customer_id, session=claims, api_key=api_key
        )

    async def check_open(self, conversation_id: str) -> None:
        """Raises what `send` would raise at once: `ConversationNotFound`, `Paused`."""
        await self.breakers.load()
        conversation, transcript = await self.store.history(conversation_id)
        if await self.people.escalation_of(conversation_id) is None:
            # A person answers whatever the breakers say.
            self.breakers.admit(conversation_id, conversation.customer_id, new=not transcript)

    async def send(
        self, conversation_id: str, text: str, *, listener: Listener | None = None
    ) -> Answered:
        """Answers a message, after the ones that came before it in the same conversation.

        The turn goes on if the caller is cancelled: a customer who hangs up half-way must not
        leave a half-done action behind. `listener` is called with each trace event.

        Raises:
            ConversationNotFound, UnknownAgent, Paused, ShuttingDown, TurnInterrupted, StoreError.
        """
        if self._stopping:
            raise ShuttingDown("the service is shutting down; send the message again in a moment")
        task = asyncio.create_task(self._turn(conversation_id, text, listener))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.wait({task})
        if task.cancelled():
            raise TurnInterrupted(
                "the service stopped before the turn had ended; see in the conversation how far "
                "it came before sending the message again"
            )
        return task.result()

    async def close(self, *, drain_seconds: float) -> None:
        """Lets running turns finish, cancels those that do not, and closes everything."""
        self._stopping = True
        await self.people.stop()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.people.close()
        await self.generations.close()
        await self.store.close()

    async def _turn(self, conversation_id: str, text: str, listener: Listener | None) -> Answered:
        async with self._in_order(conversation_id):
            return await self._answer(conversation_id, text, listener)

    async def _answer(
        self,
        conversation_id: str,
        text: str,
        listener: Listener | None,
        *,
        resumed: Resumed | None = None,
        also: Rows = (),
    ) -> Answered:
        """Runs a turn, in the conversation's order; `also` is committed with its end."""
        await self.switches.load()
        await self.breakers.load()
        conversation, transcript = await self.store.history(conversation_id)
        async with self.generations.pin(conversation) as held:
            agent = _agent(held.generation, conversation.agent)
            request = TurnRequest(
                turn_id=new_id("turn"),
                conversation_id=conversation_id,
                customer_id=conversation.customer_id,
                session=conversation.session,
                text=text,
                transcript=transcript,
                spent=conversation.spent,
                resumed=resumed,
            )
            desk = await self.people.desk(held.generation, agent, request)
            if desk.with_person is None:
                self.breakers.admit(conversation_id, conversation.customer_id, new=not transcript)
            await self.store.begin_turn(request, held.digest)
            started = perf_counter()
            async with desk:
                result = await self._run(held, agent, request, listener, desk)
                if desk.with_person is None:
                    self.generations.ended(held, conversation, result)
                    self.breakers.ended(conversation_id, escalated=result.outcome == "escalated")
                if self._observer is not None:
                    self._observer.ended(agent.spec.name, result, perf_counter() - started)
                result, rows = desk.close(result)
                rows = (*rows, *also)
                await self.store.end_turn(request.turn_id, conversation_id, result, also=rows)
                desk.committed()
        return Answered(request.turn_id, conversation_id, held.digest, result)

    async def _follow_up(self, approval: Approval, result: ToolResult) -> None:
        """Goes on after a person's decision; called in the conversation's order."""
        verdict = approval.verdict
        assert verdict is not None
        text = decision_text(approval.tool, verdict, reason=approval.reason)
        finished = finish_rows(approval.id)
        escalation = await self.people.escalation_of(approval.conversation_id)
        if escalation is not None or approval.agent not in self.generation.agents:
            # A person has the conversation, or nobody: the result is kept for whoever goes on.
            said = to_json(result.for_model()).decode()
            note = Message("note", f"{text}\nResult: {said}", approval.decided_by)
            await self.store.add_message(
                approval.turn_id, approval.conversation_id, note, also=finished
            )
            return
        resumed = Resumed(approval.tool, approval.input, verdict, result)
        await self._answer(approval.conversation_id, text, None, resumed=resumed, also=finished)

    def _spawn(self, work: Awaitable[None]) -> None:
        """Has something done that nobody waits for, but that the service's end waits for."""

        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(
        self,
        held: Held,
        agent: CompiledAgent,
        request: TurnRequest,
        listener: Listener | None,
        desk: Desk,
    ) -> TurnResult:
        def on_event(event: TraceEvent) -> None:
            self.store.record_event(event)
            held.generation.plugins.event(event)
            if self._observer is not None:
                self._observer.event(event)
            if listener is not None:
                listener(event)

        def on_cost(entry: LedgerEntry) -> None:
            self.store.record_cost(entry)
            if self._observer is not None:
                self._observer.charged(entry)

        generation = held.generation
        services = guard_services(
            generation.services,
            self.breakers,
            customer_id=request.customer_id,
            price_of=partial(price_of, overrides=generation.snapshot.settings.prices),
        )
        ctx = MemoryCtx(
            services,
            effects=self._effects,
            on_event=on_event,
            on_cost=on_cost,
            switches=partial(self.switches.of_agent, agent.spec.name),
            ask=desk.ask,
        )
        if desk.with_person is not None:
            return leave_to_person(ctx, agent, request, desk.with_person)
        try:
            return await run_turn(ctx, agent, request)
        except asyncio.CancelledError:
            if held.expired and not self._stopping:
                # Only this turn ends, and its customer gets an answer like any other.
                _resume_task()
                return _stopped(agent, "generation_retired")
            stopped = _stopped(agent, "interrupted")
            await self.store.end_turn(request.turn_id, request.conversation_id, stopped)
            raise

    @asynccontextmanager
    async def _in_order(self, conversation_id: str) -> AsyncIterator[None]:
        queue = self._queues.setdefault(conversation_id, _Queue())
        queue.waiting += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                del self._queues[conversation_id]


class _Queue:
    """Who waits for a conversation; asyncio's lock serves them in order."""

    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


def _agent(generation: Generation, name: str) -> CompiledAgent:
    agent = generation.agents.get(name)
    if agent is None:
        raise UnknownAgent(name, sorted(generation.agents))
    return agent


def _resume_task() -> None:
    """Takes the cancellation of the current task back."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()


def _stopped(agent: CompiledAgent, reason: str) -> TurnResult:
    return TurnResult(
        outcome="failed",
        reply=agent.spec.replies.failed,
        reason=reason,
        iterations=0,
        model_calls=0,
        tool_calls=0,
        tokens=0,
        cost_nano=0,
        unpriced_calls=0,
    )
