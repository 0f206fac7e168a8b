"""The store: what the rest of Interlock calls to keep and to read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from interlock.errors import StoreError
from interlock.ids import new_id
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.turn import Message, Spent, TurnRequest, TurnResult
from interlock.store import reads, writes
from interlock.store.encoding import clean_text, decode_json, encode_time
from interlock.store.live import LiveConversations
from interlock.store.opening import READERS, Database, open_database
from interlock.store.people import PeopleRecords
from interlock.store.people_records import StoredMessage
from interlock.store.records import (
    Conversation,
    HistoryEntry,
    Spending,
    StoredKey,
    Switch,
    SwitchKind,
    Turn,
)
from interlock.store.statements import Rows
from interlock.store.writer import Writer
from interlock.turn.ports import LedgerEntry

__all__ = ["Store"]

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)


class Store:
    """Conversations, turns, traces, the ledger, snapshots and switches, in one database.

    Every method raises `StoreError` if the database cannot be reached, but for `record_event`
    and `record_cost`, which never raise. Reads see what is committed.
    """

    def __init__(self, database: Database, threads: ThreadPoolExecutor) -> None:
        self._database = database
        self._threads = threads
        self._writer = None if database.write is None else Writer(database.write)
        self._live = LiveConversations()
        self.people = PeopleRecords(self._commit, self._read)
        """Escalations, approvals and feedback."""
        self._last_activation = ""
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, project: Path, read_only: bool = False) -> Self:
        """Opens the store, and makes or migrates it first unless it is `read_only`.

        A relative path in `url` is relative to `project`. Only one process may have a SQLite
        file open for writing. Raises `StoreError` that says what is in the way.
        """
        threads = ThreadPoolExecutor(READERS, thread_name_prefix="interlock-store-reader")
        opening = partial(open_database, url, project=project, read_only=read_only)
        try:
            database = await asyncio.get_running_loop().run_in_executor(threads, opening)
        except BaseException:
            threads.shutdown(wait=False)
            raise
        return cls(database, threads)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Writes what is waiting and lets go of the database."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._writer is not None:
                await self._writer.close()
        finally:
            release = self._threads.submit(self._database.resources.close)
            self._threads.shutdown(wait=False)
            await asyncio.wrap_future(release)

    @property
    def dropped_events(self) -> int:
        """Trace events that were dropped because too many were waiting."""
        return 0 if self._writer is None else self._writer.dropped_events

    @property
    def failed_records(self) -> int:
        """Trace events and ledger entries that could not be written."""
        return 0 if self._writer is None else self._writer.failed_records

    async def save_snapshot(self, digest: str, files: Mapping[str, bytes]) -> None:
        """Keeps a configuration's files under its digest; a known digest is left as it is."""
        rows = writes.snapshot_rows(digest, files, now=_now())
        await self._commit(f"snapshot '{digest}'", rows)

    async def snapshot_files(self, digest: str) -> Mapping[str, bytes] | None:
        """The files of a snapshot by path, or None if it is not known."""
        return await self._read(reads.read_snapshot, digest)

    async def snapshot_digests(self, prefix: str, *, limit: int = 2) -> tuple[str, ...]:
        """Up to `limit` digests of known snapshots that begin with `prefix`, in order."""
        return await self._read(reads.read_snapshot_digests, prefix, limit)

    async def record_activation(
        self,
        *,
        digest: str,
        files: Mapping[str, bytes],
        previous: str | None,
        at: datetime,
        trigger: str,
        who: str | None,
        why: str | None,
    ) -> HistoryEntry:
        """Keeps that a configuration became active, and its files under its digest."""
        entry_id = new_id("act")
        while entry_id <= self._last_activation:
            # Made in the same millisecond, of which the id's random part knows no order.
            entry_id = new_id("act")
        self._last_activation = entry_id
        entry = HistoryEntry(entry_id, digest, previous, at, trigger, who, why)
        rows = writes.activation_rows(entry, files, now=_now())
        await self._commit(f"the activation of '{digest}'", rows)
        return entry

    async def activations(
        self, *, limit: int = 50, before: str | None = None
    ) -> tuple[HistoryEntry, ...]:
        """Activations, newest first; `before` is the last id of the page before this one."""
        return await self._read(reads.read_activations, limit=limit, before=before)

    async def set_switch(self, switch: Switch) -> None:
        """Switches an agent or a tool off. What is off already stays as it was.

        Switches of the same target must not be set and lifted at the same time.
        """
        rows = writes.switch_rows(new_id("switch"), switch)
        await self._commit(f"the switch of {switch.kind} '{switch.name}'", rows)

    async def lift_switch(
        self, kind: SwitchKind, name: str, *, agent: str | None, who: str | None
    ) -> None:
        """Switches it on again; nothing happens if it is not off."""
        rows = writes.lift_rows(kind, name, agent=agent, who=who, now=_now())
        await self._commit(f"lifting the switch of {kind} '{name}'", rows)

    async def switches(self) -> tuple[Switch, ...]:
        """All that is switched off, oldest first."""
        return await self._read(reads.read_switches)

    async def api_keys(self) -> tuple[StoredKey, ...]:
        """All API keys that were ever made, oldest first; `KeyBook` makes and revokes them."""
        return await self._read(reads.read_api_keys)

    def record_key_use(self, key_id: str, at: datetime) -> None:
        """Hands over when a key was used, as `record_event` does."""
        self._record("the use of an API key", writes.key_use_rows, (key_id, at), droppable=True)

    async def keep_breaker(self, name: str, status: JsonObject) -> None:
        """Keeps what is to be known of a breaker after a restart."""
        await self._commit(f"breaker '{name}'", writes.breaker_rows(name, status, now=_now()))

    def record_breaker(self, name: str, status: JsonObject) -> None:
        """The same, as `record_cost` does it: it never waits and never raises."""

        def rows(status: JsonObject) -> Rows:
            return writes.breaker_rows(name, status, now=_now())

        self._record(f"breaker '{name}'", rows, status, droppable=False)

    async def breakers(self) -> Mapping[str, JsonObject]:
        """What is kept of every breaker, by name."""
        return await self._read(reads.read_breakers)

    async def spending(self, *, since: datetime, by_customer: bool) -> tuple[Spending, ...]:
        """What was spent from a time on, by minute and, if asked, by customer; oldest first."""
        return await self._read(reads.read_spending, since=since, by_customer=by_customer)

    async def create_conversation(
        self,
        *,
        agent: str,
        customer_id: str | None,
        session: JsonObject,
        api_key: str | None = None,
    ) -> Conversation:
        """Begins a conversation; `api_key` is the name of the key that opened it."""
        now = datetime.now(UTC)
        rows = writes.conversation_rows(
            new_id("conv"),
            agent=agent,
            customer_id=customer_id,
            session=session,
            now=encode_time(now),
            api_key=api_key,
        )
        _, row = rows[0]
        await self._commit(f"conversation '{row['id']}'", rows)
        conversation = Conversation(
            id=row["id"],
            agent=row["agent"],
            customer_id=row["customer_id"],
            session=decode_json(row["session"]),
            created_at=now,
            updated_at=now,
            spent=Spent(),
            unpriced_calls=0,
            api_key=row["api_key"],
        )
        self._live.put(conversation, ())
        return conversation

    async def conversation(self, conversation_id: str) -> Conversation:
        """One conversation; `ConversationNotFound` if there is none."""
        return await self._read(reads.read_conversation, conversation_id)

    async def conversation_facts(self, conversation_id: str) -> Conversation:
        """The same, as of its last turn; no query for one that was used lately."""
        known = self._live.get(conversation_id)
        if known is not None and not self._closed:
            return known[0]
        return await self.conversation(conversation_id)

    async def conversations(
        self,
        *,
        customer_id: str | None = None,
        limit: int = 50,
        before: str | None = None,
        api_key: str | None = None,
        unclaimed: bool = False,
    ) -> tuple[Conversation, ...]:
        """Conversations, newest first; `before` is the last id of the page before this one.

        `api_key` leaves those that were opened with it, `unclaimed` those of no customer.
        """
        customer = None if customer_id is None else clean_text(customer_id)
        return await self._read(
            reads.read_conversations,
            customer_id=customer,
            limit=limit,
            before=before,
            api_key=api_key,
            unclaimed=unclaimed,
        )

    async def begin_turn(self, request: TurnRequest, snapshot: str) -> None:
        """Keeps the customer's message and a running turn; both are committed on return.

        The conversation and the snapshot must be known, and the turn must not.
        """
        now = datetime.now(UTC)
        rows = writes.turn_rows(request, snapshot, now=encode_time(now))
        message = Message(request.role, clean_text(request.text))
        subject = f"turn '{request.turn_id}'"
        await self._commit_message(subject, rows, request.conversation_id, message, now)

    async def end_turn(
        self, turn_id: str, conversation_id: str, result: TurnResult, *, also: Rows = ()
    ) -> None:
        """Keeps the agent's message and how the running turn ended, and `also` with it.

        On return these are committed, and so is all that was recorded before.
        """
        now = datetime.now(UTC)
        rows = writes.end_rows(turn_id, conversation_id, result=result, now=encode_time(now))
        message = Message("agent", clean_text(result.reply))
        subject = f"the end of turn '{turn_id}'"
        await self._commit_message(subject, (*rows, *also), conversation_id, message, now)
        if result.message is not None:
            # An earlier message is another one now.
            self._live.forget(conversation_id)

    async def add_message(
        self, turn_id: str, conversation_id: str, message: Message, *, also: Rows = ()
    ) -> None:
        """Keeps a message that no turn wrote, and `also` with it.

        `turn_id` is the turn that it belongs to. `LookupError` is the cause of the `StoreError`
        if `also` changes what is not there to be changed.
        """
        now = datetime.now(UTC)
        message = replace(message, text=clean_text(message.text))
        rows = writes.message_rows(turn_id, conversation_id, message, now=encode_time(now))
        subject = f"a message in '{conversation_id}'"
        await self._commit_message(subject, (*rows, *also), conversation_id, message, now)

    async def messages(self, conversation_id: str) -> tuple[StoredMessage, ...]:
        """A conversation's messages with all that is kept of them; none if it is not known."""
        return await self._read(reads.read_messages, conversation_id)

    def record_event(self, event: TraceEvent) -> None:
        """Hands a trace event over; it is committed about 0.1 s later, or when a turn ends.

        Never waits and never raises: an event that cannot be kept is counted and logged. To be
        called from the event loop's thread.
        """
        subject = f"event {event.sequence} of turn '{event.turn_id}'"
        self._record(subject, writes.event_rows, event, droppable=True)

    def record_cost(self, entry: LedgerEntry) -> None:
        """Hands a ledger entry over, as `record_event` does; it is never dropped for room.

        What the conversation has spent grows in the same transaction.
        """
        subject = f"a ledger entry of turn '{entry.turn_id}'"
        self._live.charge(entry)
        self._record(subject, writes.cost_rows, entry, droppable=False)

    async def transcript(self, conversation_id: str) -> tuple[Message, ...]:
        """A conversation's messages, oldest first; none if it is not known."""
        return await self._read(reads.read_transcript, conversation_id)

    async def history(self, conversation_id: str) -> tuple[Conversation, tuple[Message, ...]]:
        """`conversation` and `transcript` together; no query for one that was used lately."""
        known = self._live.get(conversation_id)
        if known is not None and not self._closed:
            return known
        if self._writer is not None:
            # What was recorded but not yet written must not be missing from what is kept.
            await self.flush()
        found = await self._read(reads.read_history, conversation_id)
        self._live.put(*found)
        return found

    async def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """A conversation's turns, oldest first; none if it is not known."""
        return await self._read(reads.read_turns, conversation_id)

    async def turn(self, turn_id: str) -> Turn:
        """One turn; `TurnNotFound` if there is none."""
        return await self._read(reads.read_turn, turn_id)

    async def events(self, turn_id: str) -> tuple[TraceEvent, ...]:
        """A turn's trace in order."""
        return await self._read(reads.read_events, turn_id)

    async def ledger(self, conversation_id: str) -> tuple[LedgerEntry, ...]:
        """What a conversation's model calls cost, in the order in which they were charged."""
        return await self._read(reads.read_ledger, conversation_id)

    async def interrupted_turns(self) -> tuple[Turn, ...]:
        """The running turns; asked before the first turn begins, those of a killed process."""
        return await self._read(reads.read_running_turns)

    async def end_interrupted_turns(self, reply: str) -> int:
        """Ends every interrupted turn as `failed` with reason `interrupted`; how many they were.

        `reply` becomes the agent's message. To be called before the first turn begins.
        """
        interrupted = await self.interrupted_turns()
        for turn in interrupted:
            result = await self._read(reads.sum_turn, turn, reply=reply, reason="interrupted")
            await self.end_turn(turn.id, turn.conversation_id, result)
        return len(interrupted)

    async def flush(self) -> None:
        """Returns once all that was recorded before is committed."""
        await self._commit("a flush", ())

    async def _commit_message(
        self, subject: str, rows: Rows, conversation_id: str, message: Message, at: datetime
    ) -> None:
        try:
            await self._commit(subject, rows)
        except BaseException:
            # Also when cancelled: whether the rows were written is then not known here.
            self._live.forget(conversation_id)
            raise
        self._live.add_message(conversation_id, message, at=at)

    async def _commit(self, subject: str, rows: Rows) -> None:
        if self._writer is None:
            raise StoreError(f"{subject} was not stored: the store was opened for reading only")
        await self._writer.commit(subject, rows)

    def _record(
        self, subject: str, encode: Callable[[T], Rows], fact: T, *, droppable: bool
    ) -> None:
        if self._writer is None:
            _log.error("%s was not stored: the store was opened for reading only", subject)
        else:
            self._writer.record(subject, encode, fact, droppable=droppable)

    async def _read(
        self,
        query: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def run() -> T:
            with self._database.read.connect() as connection:
                return query(connection, *args, **kwargs)

        if self._closed:
            raise StoreError("the store is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        except DBAPIError as error:
            raise StoreError(f"the store cannot be read: {error.orig}") from error


def _now() -> str:
    return encode_time(datetime.now(UTC))
