"""The running system: generations, a store, and turns in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Protocol

from interlock.engine.memory import Effects, MemoryCtx
from interlock.engine.switches import Switches
from interlock.errors import InterlockError, UnknownAgent
from interlock.ids import new_id
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.turn import TurnRequest, TurnResult
from interlock.reload.generation import Generation
from interlock.reload.generations import Generations, Held
from interlock.store.records import Conversation
from interlock.store.store import Store
from interlock.turn.agent import CompiledAgent
from interlock.turn.loop import run_turn
from interlock.turn.ports import LedgerEntry

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
        self, generations: Generations, store: Store, *, observer: TurnObserver | None = None
    ) -> None:
        self.generations = generations
        self.store = store
        self.switches = Switches(store)
        """What operators have switched off; turns heed it whatever generation they run on."""
        self._observer = observer
        self._effects = Effects()
        self._queues: dict[str, _Queue] = {}
        self._running: set[asyncio.Task[Answered]] = set()
        self._stopping = False

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
        self, agent: str, *, customer_id: str | None, session: JsonObject
    ) -> Conversation:
        """Opens a conversation. Raises `UnknownAgent`."""
        _agent(self.generation, agent)
        claims = session if customer_id is None else {"customerId": customer_id, **session}
        return await self.store.create_conversation(
            agent=agent, customer_id=customer_id, session=claims
        )

    async def send(
        self, conversation_id: str, text: str, *, listener: Listener | None = None
    ) -> Answered:
        """Answers a message, after the ones that came before it in the same conversation.

        The turn goes on if the caller is cancelled: a customer who hangs up half-way must not
        leave a half-done action behind. `listener` is called with each trace event.

        Raises:
            ConversationNotFound, UnknownAgent, ShuttingDown, TurnInterrupted, StoreError.
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
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.generations.close()
        await self.store.close()

    async def _turn(self, conversation_id: str, text: str, listener: Listener | None) -> Answered:
        async with self._in_order(conversation_id):
            await self.switches.load()
            conversation, transcript = await self.store.history(conversation_id)
            async with self.generations.pin() as held:
                agent = _agent(held.generation, conversation.agent)
                request = TurnRequest(
                    turn_id=new_id("turn"),
                    conversation_id=conversation_id,
                    customer_id=conversation.customer_id,
                    session=conversation.session,
                    text=text,
                    transcript=transcript,
                    spent=conversation.spent,
                )
                await self.store.begin_turn(request, held.digest)
                started = perf_counter()
                result = await self._run(held, agent, request, listener)
            if self._observer is not None:
                self._observer.ended(agent.spec.name, result, perf_counter() - started)
            await self.store.end_turn(request.turn_id, conversation_id, result)
            return Answered(request.turn_id, conversation_id, held.digest, result)

    async def _run(
        self,
        held: Held,
        agent: CompiledAgent,
        request: TurnRequest,
        listener: Listener | None,
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

        ctx = MemoryCtx(
            held.generation.services,
            effects=self._effects,
            on_event=on_event,
            on_cost=on_cost,
            switches=partial(self.switches.of_agent, agent.spec.name),
        )
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
