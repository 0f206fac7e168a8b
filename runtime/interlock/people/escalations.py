"""Escalations: who has a conversation, and what they say in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime

from interlock.errors import StoreError
from interlock.ids import new_id
from interlock.model.agent import Agent
from interlock.model.turn import Message, TurnRequest, TurnResult
from interlock.people.errors import EscalationConflict
from interlock.people.notices import NoticeKind
from interlock.store.people import AlreadyDecided, answer_rows, close_rows
from interlock.store.people_records import Escalation
from interlock.store.statements import Rows
from interlock.store.store import Store

__all__ = ["NOBODY", "Escalations", "joined", "new_escalation"]

NOBODY = "(no key)"
"""Who acts where the service asks for no API keys."""

InOrder = Callable[[str], AbstractAsyncContextManager[None]]
Tell = Callable[[NoticeKind, Escalation], None]


def new_escalation(
    request: TurnRequest, agent: Agent, result: TurnResult, *, now: datetime
) -> Escalation:
    """The escalation of a turn that ended so."""
    details, sla = result.escalation or {}, agent.escalation.sla
    return Escalation(
        id=new_id("esc"),
        conversation_id=request.conversation_id,
        turn_id=request.turn_id,
        agent=agent.name,
        customer_id=request.customer_id,
        queue=agent.escalation.queue,
        priority=agent.escalation.priority,
        reason=result.reason,
        detail=details.get("detail"),
        summary=str(details.get("summary") or request.text),
        last_tool_call=details.get("lastToolCall"),
        state="open",
        created_at=now,
        due_at=None if sla is None else now + sla,
        overdue_at=None,
        claimed_by=None,
        claimed_at=None,
        answered_at=None,
        closed_by=None,
        closed_at=None,
        resolution=None,
        handed_back=False,
    )


class Escalations:
    """The escalations of one process that are not closed, and what people do with them."""

    def __init__(self, store: Store, *, in_order: InOrder, tell: Tell) -> None:
        self._store = store
        self._in_order = in_order
        self._tell = tell
        self._active: dict[str, Escalation] = {}
        self._loaded = False
        self._loading = asyncio.Lock()

    @property
    def active(self) -> tuple[Escalation, ...]:
        """All that are not closed."""
        return tuple(self._active.values())

    async def load(self) -> None:
        """Reads from the store what is not closed; nothing happens the second time."""
        if self._loaded:
            return
        async with self._loading:
            if not self._loaded:
                found = await self._store.people.active_escalations()
                self._active = {each.conversation_id: each for each in found}
                self._loaded = True

    def of(self, conversation_id: str) -> Escalation | None:
        """The escalation that a conversation has."""
        return self._active.get(conversation_id)

    def doubt(self) -> None:
        """Says that the store may know better, as a write was broken off."""
        self._loaded = False

    def opened(self, escalation: Escalation) -> None:
        """Takes note of a new escalation that has been committed."""
        self._active[escalation.conversation_id] = escalation
        self._tell("escalation.opened", escalation)

    async def claim(self, escalation_id: str, *, who: str) -> Escalation:
        """Gives it to one person; whose it is already, keeps it.

        Raises `EscalationNotFound` and `EscalationConflict`.
        """
        found = await self._store.people.escalation(escalation_id)
        if found.state == "claimed" and found.claimed_by == who:
            return found
        _require(found, who)
        now = datetime.now(UTC)
        try:
            await self._store.people.claim(escalation_id, who=who, now=now)
        except AlreadyDecided:
            _require(await self._store.people.escalation(escalation_id), who)
            raise EscalationConflict(f"'{escalation_id}' cannot be claimed any more") from None
        claimed = await self._refresh(escalation_id)
        self._tell("escalation.claimed", claimed)
        return claimed

    async def reply(self, escalation_id: str, text: str, *, who: str) -> Escalation:
        """Writes to the customer. Whoever writes has the escalation from then on.

        Raises `EscalationNotFound` and `EscalationConflict`.
        """
        found = await self._store.people.escalation(escalation_id)
        async with self._in_order(found.conversation_id):
            found = await self._store.people.escalation(escalation_id)
            _require(found, who)
            now = datetime.now(UTC)
            rows = answer_rows(found, who=who, now=now)
            await self._write(found, Message("person", text, who), rows, who=who)
        answered = await self._refresh(escalation_id)
        if found.claimed_by is None:
            self._tell("escalation.claimed", answered)
        return answered

    async def hand_back(self, escalation_id: str, note: str | None, *, who: str) -> Escalation:
        """Lets the agent go on with the customer's next message; it reads the note.

        Raises `EscalationNotFound` and `EscalationConflict`.
        """
        return await self._end(escalation_id, note, who=who, handed_back=True)

    async def close(self, escalation_id: str, resolution: str | None, *, who: str) -> Escalation:
        """Ends it. The agent answers what the customer writes later, and knows the resolution.

        Raises `EscalationNotFound` and `EscalationConflict`.
        """
        return await self._end(escalation_id, resolution, who=who, handed_back=False)

    async def mark_overdue(self, now: datetime) -> None:
        """Tells of those that nobody answered in time, each once."""
        for each in self.active:
            if each.overdue_at is not None or not each.is_overdue(now):
                continue
            try:
                await self._store.people.mark_overdue(each.id, now=now)
            except AlreadyDecided:
                await self._refresh(each.id)
                continue
            self._tell("escalation.overdue", await self._refresh(each.id))

    async def _end(
        self, escalation_id: str, text: str | None, *, who: str, handed_back: bool
    ) -> Escalation:
        found = await self._store.people.escalation(escalation_id)
        async with self._in_order(found.conversation_id):
            found = await self._store.people.escalation(escalation_id)
            _require(found, who)
            now = datetime.now(UTC)
            rows = close_rows(
                escalation_id, who=who, now=now, resolution=text, handed_back=handed_back
            )
            did = "handed the conversation back to you" if handed_back else "closed the case"
            note = f"{who} has {did}." + (f" {text}" if text else "")
            await self._write(found, Message("note", note, who), rows, who=who)
            closed = await self._refresh(escalation_id)
        self._tell("escalation.closed", closed)
        return closed

    async def _write(self, found: Escalation, message: Message, rows: Rows, *, who: str) -> None:
        try:
            await self._store.add_message(found.turn_id, found.conversation_id, message, also=rows)
        except StoreError as error:
            if isinstance(error.__cause__, LookupError):
                _require(await self._store.people.escalation(found.id), who)
                raise EscalationConflict(f"'{found.id}' has just changed; look again") from error
            raise

    async def _refresh(self, escalation_id: str) -> Escalation:
        now = await self._store.people.escalation(escalation_id)
        if now.active:
            self._active[now.conversation_id] = now
        else:
            known = self._active.get(now.conversation_id)
            if known is not None and known.id == now.id:
                del self._active[now.conversation_id]
        return now


def _require(found: Escalation, who: str) -> None:
    if not found.active:
        by = f" by {found.closed_by}" if found.closed_by else ""
        raise EscalationConflict(f"'{found.id}' has been closed{by}")
    if found.claimed_by not in (None, who):
        raise EscalationConflict(
            f"'{found.id}' is claimed by {found.claimed_by}; only they can answer or close it"
        )


def joined(result: TurnResult, escalation: Escalation) -> TurnResult:
    """The result, saying which escalation the turn belongs to."""
    return replace(result, escalation={**(result.escalation or {}), "id": escalation.id})
