"""What one turn has to do with people: who has its conversation, whom it asks, whom it calls."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from interlock.model.agent import Agent
from interlock.model.base import JsonObject
from interlock.model.turn import TurnRequest, TurnResult
from interlock.people.approvals import Approvals, Asking
from interlock.people.escalations import Escalations, joined, new_escalation
from interlock.store.people import finish_rows, open_rows
from interlock.store.people_records import Escalation
from interlock.store.statements import Rows

__all__ = ["Desk"]


class Desk:
    """The people's side of one turn. Entered for as long as the turn runs."""

    def __init__(
        self,
        escalations: Escalations,
        approvals: Approvals,
        *,
        agent: Agent,
        request: TurnRequest,
        asking: Asking,
    ) -> None:
        self._escalations = escalations
        self._approvals = approvals
        self._agent = agent
        self._request = request
        self._asking = asking
        self._known = escalations.of(request.conversation_id)
        self._opened: Escalation | None = None
        self._committed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._committed and self._opened is not None:
            # The end may have been written all the same.
            self._escalations.doubt()
        self._approvals.release(self._asking, told=self._committed)

    @property
    def with_person(self) -> JsonObject | None:
        """What is traced if a person has the conversation, so that no model answers."""
        known = self._known
        if known is None:
            return None
        by = f"claimed by {known.claimed_by}" if known.claimed_by else "waiting in the queue"
        return {
            "queue": known.queue,
            "reason": known.reason,
            "detail": f"the conversation is with a person ({by})",
            "summary": known.summary,
            "lastToolCall": None,
        }

    async def ask(self, key: str, args: JsonObject) -> JsonObject:
        """What `Ctx.ask` promises."""
        return await self._approvals.ask(self._asking, key, args)

    def close(self, result: TurnResult) -> tuple[TurnResult, Rows]:
        """The result and what is to be committed with it."""
        rows: Rows = ()
        for approval_id in sorted(self._asking.decided):
            rows += finish_rows(approval_id)
        if result.outcome != "escalated":
            return result, rows
        if self._known is None:
            now = datetime.now(UTC)
            self._opened = new_escalation(self._request, self._agent, result, now=now)
            rows += open_rows(self._opened)
        current = self._opened or self._known
        assert current is not None
        return joined(result, current), rows

    def committed(self) -> None:
        """Says that the turn's end has been committed."""
        self._committed = True
        if self._opened is not None:
            self._escalations.opened(self._opened)
