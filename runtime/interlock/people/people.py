"""Everything about people in one place, with the clock that watches over it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

from interlock.engine.memory import Effects
from interlock.engine.switches import Switches
from interlock.model.result import ToolResult
from interlock.model.turn import TurnRequest
from interlock.people.approvals import Approvals, Asking
from interlock.people.calls import Calls
from interlock.people.desk import Desk
from interlock.people.escalations import Escalations
from interlock.people.notices import NoticeKind, approval_notice, escalation_notice
from interlock.reload.generation import Generation
from interlock.reload.generations import Generations
from interlock.reload.webhook_target import webhook_target
from interlock.store.people_records import Approval, Escalation
from interlock.store.store import Store
from interlock.turn.agent import CompiledAgent
from interlock.webhooks.sender import Target, WebhookSender

__all__ = ["People"]

_TICK_SECONDS = 0.5
_RETRY_TICKS = 10
_SENT = frozenset({"escalation.opened", "escalation.overdue", "approval.pending"})

_LOG = logging.getLogger(__name__)


class People:
    """Escalations and approvals of one process. Raises what the store raises."""

    def __init__(
        self,
        store: Store,
        generations: Generations,
        *,
        effects: Effects,
        switches: Switches,
        in_order: Callable[[str], AbstractAsyncContextManager[None]],
        spawn: Callable[[Awaitable[None]], None],
        follow_up: Callable[[Approval, ToolResult], Awaitable[None]],
        project: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._generations = generations
        self._environment = environment
        self._listeners: list[Callable[[NoticeKind, str], None]] = []
        self._ticking: asyncio.Task[None] | None = None
        self.webhook = WebhookSender(self._target)
        """Tells whoever `people.webhook` names."""
        self.escalations = Escalations(store, in_order=in_order, tell=self._tell_escalation)
        calls = Calls(
            store,
            generations,
            effects=effects,
            switches=switches,
            project=project,
            environment=environment,
        )
        self.approvals = Approvals(
            store,
            calls,
            in_order=in_order,
            spawn=spawn,
            follow_up=follow_up,
            tell=self._tell_approval,
        )

    def listen(self, listener: Callable[[NoticeKind, str], None]) -> None:
        """Has `listener` hear what happens, with the queue or the tool. It must not raise."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Takes up what an earlier process left, and watches the clock from now on."""
        await self.escalations.load()
        await self.approvals.load()
        self.approvals.resume(datetime.now(UTC))
        self._ticking = asyncio.create_task(self._watch(), name="interlock-people")

    async def stop(self) -> None:
        """Begins nothing any more by itself."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            self._ticking = None

    async def close(self) -> None:
        """Sends what is still to be sent."""
        await self.webhook.close()

    async def desk(
        self, generation: Generation, agent: CompiledAgent, request: TurnRequest
    ) -> Desk:
        """The people's side of a turn that is about to begin."""
        await self.escalations.load()
        asking = Asking(
            conversation_id=request.conversation_id,
            turn_id=request.turn_id,
            customer_id=request.customer_id,
            agent=agent.spec.name,
            snapshot=generation.snapshot.digest,
            unattended=generation.snapshot.settings.people.unattended,
        )
        return Desk(
            self.escalations, self.approvals, agent=agent.spec, request=request, asking=asking
        )

    async def escalation_of(self, conversation_id: str) -> Escalation | None:
        """The escalation that a conversation has and that is not closed."""
        await self.escalations.load()
        return self.escalations.of(conversation_id)

    def _target(self) -> Target | None:
        generation = self._generations.active.generation
        declared = generation.snapshot.settings.people.webhook
        return webhook_target(declared, generation, self._environment)

    def _tell_escalation(self, kind: NoticeKind, escalation: Escalation) -> None:
        self._heard(kind, escalation.queue)
        if kind in _SENT:
            self.webhook.put(escalation_notice(kind, escalation))

    def _tell_approval(self, kind: NoticeKind, approval: Approval) -> None:
        self._heard(kind, approval.tool)
        if kind in _SENT:
            self.webhook.put(approval_notice(kind, approval))

    def _heard(self, kind: NoticeKind, label: str) -> None:
        for listener in self._listeners:
            listener(kind, label)

    async def _watch(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            ticks += 1
            try:
                now = datetime.now(UTC)
                await self.escalations.mark_overdue(now)
                await self.approvals.expire(now)
                if ticks % _RETRY_TICKS == 0:
                    self.approvals.resume(now)
            except Exception:
                # The boundary of the clock: operators read the log, and it is tried again.
                _LOG.exception("what is due could not be looked after")
