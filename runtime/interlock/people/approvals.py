"""Approvals: a call waits, a person decides once, and what was decided is carried out once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from interlock.ids import new_id
from interlock.model.base import Json, JsonObject
from interlock.model.result import ToolResult
from interlock.model.turn import Verdict
from interlock.people.calls import Calls
from interlock.people.notices import NoticeKind
from interlock.store.people import AlreadyDecided
from interlock.store.people_records import Approval
from interlock.store.store import Store

__all__ = ["Approvals", "Asking", "refusal", "retry_delay"]

InOrder = Callable[[str], AbstractAsyncContextManager[None]]
Tell = Callable[[NoticeKind, Approval], None]
FollowUp = Callable[[Approval, ToolResult], Awaitable[None]]
Spawn = Callable[[Awaitable[None]], None]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """The turn that asks."""

    conversation_id: str
    turn_id: str
    customer_id: str | None
    agent: str
    snapshot: str
    unattended: bool
    decided: set[str] = field(default_factory=set)
    """Approvals whose decision this turn has been told, and tells on."""


def retry_delay(failures: int) -> timedelta:
    """How long to wait after so many failures: 5 s, doubled each time, up to 10 minutes."""
    if failures == 0:
        return timedelta(0)
    return min(timedelta(minutes=10), timedelta(seconds=5 * (1 << min(failures - 1, 10))))


def refusal(verdict: Verdict, reason: str | None) -> ToolResult:
    """The result of a call that was not allowed."""
    if verdict == "expired":
        return ToolResult.error("no colleague agreed in time: nothing was changed")
    why = f": {reason}" if reason else ""
    return ToolResult.error(f"a colleague did not agree{why}; nothing was changed; do not retry")


class Approvals:
    """The approvals of one process that are not done."""

    def __init__(
        self,
        store: Store,
        calls: Calls,
        *,
        in_order: InOrder,
        spawn: Spawn,
        follow_up: FollowUp,
        tell: Tell,
    ) -> None:
        self._store = store
        self._calls = calls
        self._in_order = in_order
        self._spawn = spawn
        self._follow_up = follow_up
        self._tell = tell
        self._pending: dict[str, datetime] = {}
        self._unfinished: set[str] = set()
        self._busy: set[str] = set()
        self._failures: dict[str, tuple[int, datetime]] = {}
        self._waiting: dict[str, tuple[Asking, asyncio.Future[ToolResult]]] = {}

    @property
    def pending(self) -> int:
        """Calls that wait for a person."""
        return len(self._pending)

    async def load(self) -> None:
        """Takes up what an earlier process left: what waits, and what was decided and not done."""
        for each in await self._store.people.unfinished_approvals():
            if each.state == "pending":
                self._pending[each.id] = each.expires_at
            else:
                self._unfinished.add(each.id)

    async def ask(self, asking: Asking, key: str, args: JsonObject) -> JsonObject:
        """What `Ctx.ask` promises."""
        if asking.unattended:
            result = ToolResult.error("nobody is there who could agree: nothing was changed")
            return _answer(None, "denied", result.to_json())
        known = await self._store.people.latest_asked(asking.conversation_id, key)
        if known is not None and known.verdict != "expired":
            if known.result is None:
                return _answer(known.id, "pending", None)
            # The first result, but nothing was sent for it this time.
            said = {**known.result, "attempts": 0, "latencyMs": 0.0}
            return _answer(known.id, known.verdict or "pending", said)
        approval = _new_approval(asking, key, args)
        waiting: asyncio.Future[ToolResult] = asyncio.get_running_loop().create_future()
        if args["waitSeconds"] > 0:
            self._waiting[approval.id] = (asking, waiting)
        try:
            await self._store.people.ask(approval)
            self._pending[approval.id] = approval.expires_at
            self._tell("approval.pending", approval)
            return await self._wait(approval, waiting, args["waitSeconds"])
        finally:
            self._waiting.pop(approval.id, None)

    async def _wait(
        self, approval: Approval, waiting: asyncio.Future[ToolResult], seconds: float
    ) -> JsonObject:
        if seconds > 0:
            await asyncio.wait((waiting,), timeout=seconds)
        if approval.id not in self._pending and approval.id in self._waiting:
            # Decided, so the call is under way; it takes no longer than a call may.
            result = await waiting
            decided = await self._store.people.approval(approval.id)
            return _answer(approval.id, decided.verdict or "pending", result.to_json())
        return _answer(approval.id, "pending", None)

    def release(self, asking: Asking, *, told: bool) -> None:
        """Says that the turn has ended: whether its customer was told what was decided."""
        for approval_id in asking.decided:
            self._busy.discard(approval_id)
            if told:
                self._unfinished.discard(approval_id)

    async def approve(self, approval_id: str, *, who: str) -> Approval:
        """Says yes to the exact call.

        Raises `ApprovalNotFound`, `AlreadyDecided` and `Unavailable`.
        """
        approval = await self._open(approval_id)
        self._calls.require_on(approval)
        return await self._decide(approval, "approved", who=who)

    async def edit(self, approval_id: str, written: JsonObject, *, who: str) -> Approval:
        """Says yes to another input. Raises the same, and `InvalidEdit`."""
        approval = await self._open(approval_id)
        self._calls.require_on(approval)
        edited = await self._calls.edit(approval, written)
        return await self._decide(edited, "edited", who=who)

    async def deny(self, approval_id: str, reason: str | None, *, who: str) -> Approval:
        """Says no. Raises `ApprovalNotFound` and `AlreadyDecided`."""
        approval = await self._open(approval_id)
        result = refusal("denied", reason)
        return await self._decide(approval, "denied", who=who, reason=reason, result=result)

    async def answer(
        self, approval_id: str, data: Json, reason: str | None, *, who: str
    ) -> Approval:
        """Gives the result in the tool's place. Raises the same."""
        approval = await self._open(approval_id)
        result = ToolResult("success", data, effect="applied")
        return await self._decide(approval, "answered", who=who, reason=reason, result=result)

    async def expire(self, now: datetime) -> None:
        """Denies what nobody has decided in time."""
        for approval_id in [each for each, at in self._pending.items() if at <= now]:
            approval = await self._store.people.approval(approval_id)
            try:
                await self._decide(approval, "expired", who=None, result=refusal("expired", None))
            except AlreadyDecided:
                self._pending.pop(approval_id, None)

    def resume(self, now: datetime) -> None:
        """Takes up again what was decided and is not done; less and less often what fails."""
        for approval_id in sorted(self._unfinished - self._busy):
            failures, last = self._failures.get(approval_id, (0, now))
            if now >= last + retry_delay(failures):
                self._begin(approval_id)

    async def _open(self, approval_id: str) -> Approval:
        approval = await self._store.people.approval(approval_id)
        if approval.state != "pending":
            by = f" by {approval.decided_by}" if approval.decided_by else ""
            raise AlreadyDecided(f"'{approval_id}' is {approval.verdict}{by}")
        return approval

    async def _decide(
        self,
        approval: Approval,
        verdict: Verdict,
        *,
        who: str | None,
        reason: str | None = None,
        result: ToolResult | None = None,
    ) -> Approval:
        data = None if result is None else result.to_json()
        try:
            await self._store.people.decide(
                approval, verdict, who=who, now=datetime.now(UTC), reason=reason, result=data
            )
        except AlreadyDecided:
            # Who was first is worth more than that somebody was.
            await self._open(approval.id)
            raise
        self._pending.pop(approval.id, None)
        self._unfinished.add(approval.id)
        self._begin(approval.id)
        decided = await self._store.people.approval(approval.id)
        self._tell("approval.decided", decided)
        return decided

    def _begin(self, approval_id: str) -> None:
        self._busy.add(approval_id)
        self._spawn(self._finish(approval_id))

    async def _finish(self, approval_id: str) -> None:
        """Carries out what was decided, and sees to it that the customer is told."""
        try:
            approval = await self._store.people.approval(approval_id)
            if approval_id in self._waiting:
                # Its turn still runs, has the conversation's order, and goes on with the result.
                result = await self._calls.carry_out(approval)
                if approval_id in self._waiting:
                    asking, waiting = self._waiting[approval_id]
                    asking.decided.add(approval_id)
                    waiting.set_result(result)
                    return
            async with self._in_order(approval.conversation_id):
                approval = await self._store.people.approval(approval_id)
                if approval.state != "done":
                    await self._follow_up(approval, await self._calls.carry_out(approval))
            self._unfinished.discard(approval_id)
            self._busy.discard(approval_id)
            self._failures.pop(approval_id, None)
        except Exception as error:
            # The boundary of a task of its own: operators read the log, a turn that waits for it
            # fails, and it is taken up again.
            _LOG.exception("the approval %s could not be finished; it is tried again", approval_id)
            failures, _ = self._failures.get(approval_id, (0, None))
            self._failures[approval_id] = (failures + 1, datetime.now(UTC))
            self._busy.discard(approval_id)
            if approval_id in self._waiting:
                self._waiting[approval_id][1].set_exception(error)
        except asyncio.CancelledError:
            self._busy.discard(approval_id)
            if approval_id in self._waiting:
                self._waiting[approval_id][1].cancel()
            raise


def _answer(approval_id: str | None, state: str, result: JsonObject | None) -> JsonObject:
    return {"id": approval_id, "state": state, "result": result}


def _new_approval(asking: Asking, key: str, args: JsonObject) -> Approval:
    now = datetime.now(UTC)
    return Approval(
        id=new_id("appr"),
        conversation_id=asking.conversation_id,
        turn_id=asking.turn_id,
        agent=asking.agent,
        customer_id=asking.customer_id,
        snapshot=asking.snapshot,
        tool=args["tool"],
        input=args["input"],
        arguments=args["arguments"],
        action_key=key,
        asked_key=key,
        why=args["why"],
        state="pending",
        created_at=now,
        expires_at=now + timedelta(seconds=args["expiresSeconds"]),
        verdict=None,
        decided_by=None,
        decided_at=None,
        reason=None,
        attempted_at=None,
        result=None,
    )
