"""People's work in the store: what is decided here is decided once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, literal_column, select

from interlock.errors import InterlockError, StoreError
from interlock.model.base import JsonObject
from interlock.model.turn import Verdict
from interlock.store.encoding import clean_text, encode_json, encode_time
from interlock.store.people_records import (
    Approval,
    ApprovalNotFound,
    Escalation,
    EscalationNotFound,
    Feedback,
)
from interlock.store.people_statements import (
    ANSWER_ESCALATION,
    ASK_APPROVAL,
    ATTEMPT_APPROVAL,
    CLAIM_ESCALATION,
    CLOSE_ESCALATION,
    DECIDE_APPROVAL,
    DROP_FEEDBACK,
    FINISH_APPROVAL,
    GIVE_FEEDBACK,
    KEEP_RESULT,
    MARK_OVERDUE,
    OPEN_ESCALATION,
)
from interlock.store.people_tables import approvals, escalations, feedback
from interlock.store.statements import Row, Rows

__all__ = [
    "AlreadyDecided",
    "PeopleRecords",
    "answer_rows",
    "by_urgency",
    "close_rows",
    "finish_rows",
    "open_rows",
]

Commit = Callable[[str, Rows], Awaitable[None]]

_RANKS = {"urgent": 0, "high": 1, "normal": 2, "low": 3}


class AlreadyDecided(InterlockError):
    """Somebody else was first."""

    code = "already_decided"


def open_rows(escalation: Escalation) -> Rows:
    """A new escalation; nothing is written if the conversation has one that is not closed."""
    return ((OPEN_ESCALATION, _row(escalations, escalation)),)


def answer_rows(escalation: Escalation, *, who: str, now: datetime) -> Rows:
    """That a person has written to the customer, and has the escalation from now on."""
    claimed, answered = escalation.claimed_at or now, escalation.answered_at or now
    row = {"of": escalation.id, "who": clean_text(who), "claimed": encode_time(claimed)}
    return ((ANSWER_ESCALATION, {**row, "answered": encode_time(answered)}),)


def close_rows(
    escalation_id: str, *, who: str, now: datetime, resolution: str | None, handed_back: bool
) -> Rows:
    """That a person is done with an escalation."""
    row = {
        "of": escalation_id,
        "who": clean_text(who),
        "now": encode_time(now),
        "resolution": None if resolution is None else clean_text(resolution),
        "handed_back": int(handed_back),
    }
    return ((CLOSE_ESCALATION, row),)


def finish_rows(approval_id: str) -> Rows:
    """That what was decided has been carried out and told."""
    return ((FINISH_APPROVAL, {"of": approval_id}),)


class PeopleRecords:
    """Escalations, approvals and feedback. Raises what `Store` raises."""

    def __init__(
        self, commit: Commit, read: Callable[[Callable[[Connection], Any]], Awaitable[Any]]
    ) -> None:
        self._commit = commit
        self._read = read

    async def escalation(self, escalation_id: str) -> Escalation:
        """One escalation; `EscalationNotFound` if there is none."""
        found = await self._rows(select(escalations).where(escalations.c.id == escalation_id))
        if not found:
            raise EscalationNotFound(escalation_id)
        return _escalation(found[0])

    async def active_escalations(self) -> tuple[Escalation, ...]:
        """All that are not closed, oldest first."""
        query = select(escalations).where(escalations.c.state != literal_column("'closed'"))
        return tuple(map(_escalation, await self._rows(query.order_by(escalations.c.id))))

    async def escalations(
        self, *, state: str | None, queue: str | None, limit: int, before: str | None
    ) -> tuple[Escalation, ...]:
        """Escalations, newest first; `before` is the last id of the page before this one."""
        query = select(escalations).order_by(escalations.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(escalations.c.state == state)
        if queue is not None:
            query = query.where(escalations.c.queue == queue)
        if before is not None:
            query = query.where(escalations.c.id < before)
        return tuple(map(_escalation, await self._rows(query)))

    async def claim(self, escalation_id: str, *, who: str, now: datetime) -> None:
        """Gives it to one person. Raises `AlreadyDecided` if it is not open."""
        row = {"of": escalation_id, "who": clean_text(who), "now": encode_time(now)}
        await self._once(f"the claim of '{escalation_id}'", ((CLAIM_ESCALATION, row),))

    async def mark_overdue(self, escalation_id: str, *, now: datetime) -> None:
        """Notes that nobody answered in time. Raises `AlreadyDecided` if that is known."""
        row = {"of": escalation_id, "now": encode_time(now)}
        await self._once(f"that '{escalation_id}' is overdue", ((MARK_OVERDUE, row),))

    async def ask(self, approval: Approval) -> None:
        """Keeps a call that waits."""
        rows = ((ASK_APPROVAL, _row(approvals, approval)),)
        await self._commit(f"approval '{approval.id}'", rows)

    async def approval(self, approval_id: str) -> Approval:
        """One approval; `ApprovalNotFound` if there is none."""
        found = await self._rows(select(approvals).where(approvals.c.id == approval_id))
        if not found:
            raise ApprovalNotFound(approval_id)
        return Approval(**found[0])

    async def approvals(
        self,
        *,
        state: str | None = None,
        conversation_id: str | None = None,
        limit: int,
        before: str | None = None,
    ) -> tuple[Approval, ...]:
        """Approvals, newest first; `before` is the last id of the page before this one."""
        query = select(approvals).order_by(approvals.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(approvals.c.state == state)
        if conversation_id is not None:
            query = query.where(approvals.c.conversation_id == conversation_id)
        if before is not None:
            query = query.where(approvals.c.id < before)
        return tuple(Approval(**row) for row in await self._rows(query))

    async def unfinished_approvals(self) -> tuple[Approval, ...]:
        """All that are pending, or decided and not yet carried out and told; oldest first."""
        query = select(approvals).where(approvals.c.state != literal_column("'done'"))
        rows = await self._rows(query.order_by(approvals.c.id))
        return tuple(Approval(**row) for row in rows)

    async def latest_asked(self, conversation_id: str, asked_key: str) -> Approval | None:
        """The latest approval that a conversation asked for under a key."""
        query = select(approvals).where(
            approvals.c.conversation_id == conversation_id, approvals.c.asked_key == asked_key
        )
        rows = await self._rows(query.order_by(approvals.c.id.desc()).limit(1))
        return Approval(**rows[0]) if rows else None

    async def decide(
        self,
        approval: Approval,
        verdict: Verdict,
        *,
        who: str | None,
        now: datetime,
        reason: str | None = None,
        result: JsonObject | None = None,
    ) -> None:
        """Decides, with the input, arguments and key of `approval`. `AlreadyDecided` if it was."""
        row: Row = {
            "of": approval.id,
            "verdict": verdict,
            "decided_by": None if who is None else clean_text(who),
            "now": encode_time(now),
            "expiring": "yes" if verdict == "expired" else "no",
            "reason": None if reason is None else clean_text(reason),
            "input": encode_json(approval.input),
            "arguments": encode_json(approval.arguments),
            "action_key": approval.action_key,
            "result": None if result is None else encode_json(result),
        }
        await self._once(f"the decision on '{approval.id}'", ((DECIDE_APPROVAL, row),))

    async def attempt(self, approval_id: str, *, now: datetime) -> None:
        """Notes that the call is about to be made. `AlreadyDecided` if that was noted before."""
        row = {"of": approval_id, "now": encode_time(now)}
        await self._once(f"the attempt of '{approval_id}'", ((ATTEMPT_APPROVAL, row),))

    async def keep_result(self, approval_id: str, result: JsonObject) -> None:
        """Keeps what came of the call. `AlreadyDecided` if it has a result."""
        row = {"of": approval_id, "result": encode_json(result)}
        await self._once(f"the result of '{approval_id}'", ((KEEP_RESULT, row),))

    async def finish(self, approval_id: str) -> None:
        """Notes that all of it is done."""
        await self._commit(f"the end of '{approval_id}'", finish_rows(approval_id))

    async def give_feedback(self, given: Feedback) -> None:
        """Keeps a rating in the place of the one before it."""
        rows = (
            (DROP_FEEDBACK, {"turn_id": given.turn_id}),
            (GIVE_FEEDBACK, _row(feedback, given)),
        )
        await self._commit(f"feedback on '{given.turn_id}'", rows)

    async def feedback(self, conversation_id: str) -> dict[str, Feedback]:
        """A conversation's feedback by turn."""
        query = select(feedback).where(feedback.c.conversation_id == conversation_id)
        return {row["turn_id"]: Feedback(**row) for row in await self._rows(query)}

    async def _once(self, subject: str, rows: Rows) -> None:
        try:
            await self._commit(subject, rows)
        except StoreError as error:
            # The statement found nothing to change: somebody else was first.
            if isinstance(error.__cause__, LookupError):
                raise AlreadyDecided(f"{subject} was not taken: {error.__cause__}") from error
            raise

    async def _rows(self, query: Select[Any]) -> list[RowMapping]:
        def run(connection: Connection) -> list[RowMapping]:
            return list(connection.execute(query).mappings())

        found: list[RowMapping] = await self._read(run)
        return found


def by_urgency(found: Escalation) -> tuple[int, str]:
    """Sorts escalations: the most urgent first, then the oldest."""
    return _RANKS[found.priority], found.id


def _escalation(row: RowMapping) -> Escalation:
    return Escalation(**{**row, "handed_back": bool(row["handed_back"])})


def _row(table: Table, record: Any) -> Row:
    """A record's values as the driver takes them."""
    row: Row = {}
    for column in table.columns:
        value = getattr(record, column.name)
        if isinstance(value, datetime):
            value = encode_time(value)
        elif isinstance(value, bool):
            value = int(value)
        elif isinstance(value, dict | list):
            value = encode_json(value)
        elif isinstance(value, str):
            value = clean_text(value)
        row[column.name] = value
    return row
