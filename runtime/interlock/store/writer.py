"""Group commit: one thread writes, in one transaction, whatever has gathered meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from interlock.errors import StoreError
from interlock.store.statements import Rows
from interlock.store.transaction import execute, prepare

__all__ = ["MAX_EVENTS", "Writer"]

T = TypeVar("T")

MAX_EVENTS = 10_000
"""Droppable facts that may wait; a few dozen MB."""
_LINGER = 0.1
"""Seconds that a recorded fact may wait for company when nobody waits for a commit."""
_RETRY = 1.0
"""Seconds until facts that could not be written are tried again."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Write:
    """Rows that belong together, and who waits for them."""

    subject: str
    rows: Rows
    done: asyncio.Future[None] | None = None
    """None for a recorded fact, which nobody waits for."""
    droppable: bool = False


class Writer:
    """The only one who writes to the database. Belongs to the event loop that made it.

    Rows are committed in the order in which they were given. While a transaction is under way
    the next ones gather, so the number of transactions does not grow with the load.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = prepare(engine.dialect)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="interlock-store-writer")
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Write] = []
        self._pending_events = 0
        self._reported_drops = 0
        self._outage = False
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self.dropped_events = 0
        """Droppable facts that were refused because too many were waiting."""
        self.failed_records = 0
        """Recorded facts that the database refused, or that were lost when the store closed."""
        self._task = self._loop.create_task(self._run(), name="interlock-store-writer")

    async def commit(self, subject: str, rows: Rows) -> None:
        """Returns once `rows`, and all that was given before them, are committed.

        Raises `StoreError`, beginning with `subject`, if they are not. Cancelling the caller
        does not take the rows back.
        """
        if self._closing or self._task.done():
            raise StoreError(f"{subject} was not stored: the store is closed")
        done = self._loop.create_future()
        self._waiting.append(_Write(subject, rows, done))
        self._wake.set()
        await done

    def record(
        self, subject: str, encode: Callable[[T], Rows], fact: T, *, droppable: bool
    ) -> None:
        """Takes a fact over, to be committed soon; a droppable one only if there is room.

        The fact is encoded at once, so it may change afterwards. Never raises.
        """
        if self._closing or self._task.done():
            self._report_loss(subject, "the store is closed")
            return
        if droppable and self._pending_events >= MAX_EVENTS:
            self.dropped_events += 1
            return
        try:
            rows = encode(fact)
        except Exception as error:  # a fact about a turn must not stop it; the loss is logged
            self._report_loss(subject, error)
            return
        self._waiting.append(_Write(subject, rows, droppable=droppable))
        self._pending_events += droppable
        self._wake_in(_LINGER)

    async def close(self) -> None:
        """Writes what is waiting and ends. What cannot be written is counted and logged."""
        self._closing = True
        self._wake.set()
        await asyncio.wait([self._task])

    def _wake_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._wake.set)

    async def _run(self) -> None:
        try:
            while not self._closing:
                await self._wake.wait()
                self._wake.clear()
                await self._write(self._take())
            await self._write(self._take())
        finally:
            for write in self._take():
                self._settle(write, "the store is closed")
            self._thread.shutdown(wait=False)

    def _take(self) -> list[_Write]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        return batch

    async def _write(self, batch: list[_Write]) -> None:
        if not batch:
            return
        failures = await self._loop.run_in_executor(self._thread, self._commit, batch)
        kept = []
        for write in batch:
            error = failures.get(write)
            if write.done is None and error is not None and _is_outage(error):
                kept.append(write)
            else:
                self._settle(write, error)
        if kept and not self._outage:
            _log.error("the store cannot be written; what happens is kept in memory meanwhile")
        elif self._outage and not kept:
            _log.warning("the store can be written again")
        self._outage = bool(kept)
        if kept:
            self._waiting[:0] = kept
            self._wake_in(_RETRY)
        if self.dropped_events > self._reported_drops:
            self._reported_drops = self.dropped_events
            _log.warning("the store is too slow: %d trace events dropped", self.dropped_events)

    def _settle(self, write: _Write, error: object | None) -> None:
        """Tells whoever waits for a write how it ended; a lost fact is counted and logged."""
        self._pending_events -= write.droppable
        if write.done is None:
            if error is not None:
                self._report_loss(write.subject, error)
        elif write.done.done():  # its caller was cancelled
            return
        elif error is None:
            write.done.set_result(None)
        else:
            failure = StoreError(f"{write.subject} was not stored: {_explain(error)}")
            failure.__cause__ = error if isinstance(error, Exception) else None
            write.done.set_exception(failure)

    def _commit(self, writes: list[_Write]) -> dict[_Write, Exception]:
        """Runs in the thread. The writes that failed, each with its error."""
        try:
            with self._engine.begin() as connection:
                execute(connection, self._statements, [write.rows for write in writes])
        except Exception as error:  # whoever waits for a write gets it; losses are logged
            if len(writes) == 1 or _is_outage(error):
                return dict.fromkeys(writes, error)
            middle = len(writes) // 2
            return self._commit(writes[:middle]) | self._commit(writes[middle:])
        return {}

    def _report_loss(self, subject: str, reason: object) -> None:
        self.failed_records += 1
        _log.error("%s was not stored: %s", subject, _explain(reason))


def _is_outage(error: Exception) -> bool:
    """Whether the database is at fault rather than a row: trying the rows singly is no use."""
    if isinstance(error, OperationalError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _explain(reason: object) -> object:
    """The database's own words, without the statement and its parameters (customers' data)."""
    return reason.orig if isinstance(reason, DBAPIError) else reason
