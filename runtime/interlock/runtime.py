"""The running system: one active generation, a store, and turns in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from interlock.engine.memory import Effects, MemoryCtx
from interlock.errors import InterlockError, UnknownAgent
from interlock.ids import new_id
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.turn import Spent, TurnRequest, TurnResult
from interlock.reload.generation import Generation
from interlock.store.records import Conversation
from interlock.store.store import Store
from interlock.turn.agent import CompiledAgent
from interlock.turn.loop import run_turn

__all__ = ["Answered", "Runtime", "ShuttingDown"]

Listener = Callable[[TraceEvent], None]


class ShuttingDown(InterlockError):
    """The service is stopping and takes no new messages."""

    code = "shutting_down"


@dataclass(frozen=True, slots=True)
class Answered:
    """A turn that has ended."""

    turn_id: str
    conversation_id: str
    result: TurnResult


class Runtime:
    """Answers messages with the active generation, one turn at a time per conversation."""

    def __init__(self, generation: Generation, store: Store) -> None:
        self.generation = generation
        self.store = store
        self._effects = Effects()
        self._queues: dict[str, _Queue] = {}
        self._running: set[asyncio.Task[Answered]] = set()
        self._stopping = False

    @property
    def turns_running(self) -> int:
        """Turns that have been taken and have not ended."""
        return len(self._running)

    async def create_conversation(
        self, agent: str, *, customer_id: str | None, session: JsonObject
    ) -> Conversation:
        """Opens a conversation. Raises `UnknownAgent`."""
        self._agent(agent)
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
            ConversationNotFound, UnknownAgent, ShuttingDown, StoreError.
        """
        if self._stopping:
            raise ShuttingDown("the service is shutting down; send the message again in a moment")
        task = asyncio.create_task(self._turn(conversation_id, text, listener))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def close(self, *, drain_seconds: float) -> None:
        """Lets running turns finish, cancels those that do not, and closes everything."""
        self._stopping = True
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.generation.close()
        await self.store.close()

    async def _turn(self, conversation_id: str, text: str, listener: Listener | None) -> Answered:
        async with self._in_order(conversation_id):
            conversation = await self.store.conversation(conversation_id)
            generation = self.generation
            agent = self._agent(conversation.agent)
            request = TurnRequest(
                turn_id=new_id("turn"),
                conversation_id=conversation_id,
                customer_id=conversation.customer_id,
                session=conversation.session,
                text=text,
                transcript=await self.store.transcript(conversation_id),
                spent=Spent(conversation.spent_tokens, conversation.spent_cost_nano),
            )
            await self.store.begin_turn(request, generation.snapshot.digest)
            result = await self._run(generation, agent, request, listener)
            await self.store.end_turn(request.turn_id, conversation_id, result)
            return Answered(request.turn_id, conversation_id, result)

    async def _run(
        self,
        generation: Generation,
        agent: CompiledAgent,
        request: TurnRequest,
        listener: Listener | None,
    ) -> TurnResult:
        def on_event(event: TraceEvent) -> None:
            self.store.record_event(event)
            if listener is not None:
                listener(event)

        ctx = MemoryCtx(
            generation.services,
            effects=self._effects,
            on_event=on_event,
            on_cost=self.store.record_cost,
        )
        try:
            return await run_turn(ctx, agent, request)
        except asyncio.CancelledError:
            stopped = _interrupted(agent)
            await self.store.end_turn(request.turn_id, request.conversation_id, stopped)
            raise

    def _agent(self, name: str) -> CompiledAgent:
        agent = self.generation.agents.get(name)
        if agent is None:
            raise UnknownAgent(name, sorted(self.generation.agents))
        return agent

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


def _interrupted(agent: CompiledAgent) -> TurnResult:
    return TurnResult(
        outcome="failed",
        reply=agent.spec.replies.failed,
        reason="interrupted",
        iterations=0,
        model_calls=0,
        tool_calls=0,
        tokens=0,
        cost_nano=0,
        unpriced_calls=0,
    )
