"""The shop's database file: one SQLite transaction at a time, off the event loop."""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LOCK_TIMEOUT_SECONDS = 30.0
SEEDED_VERSION = 1
"""`PRAGMA user_version` of a file that has its tables and its seed."""

_HERE = Path(__file__).parent


class Database:
    """Runs functions of a connection in a worker thread, each in its own transaction.

    A function that raises leaves no trace in the file. Close it after use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # SQLite alone would do, but its waiting writers poll and would occupy every thread.
        self._writing = asyncio.Lock()
        # Kept open: when the last connection closes, SQLite rewrites the file.
        self._idle: deque[sqlite3.Connection] = deque()

    async def prepare(self) -> None:
        """Create the file, its tables and its seed, unless they are there already."""
        await asyncio.to_thread(self._prepare)

    async def close(self) -> None:
        """Close the file, once no transaction runs any more."""
        await asyncio.to_thread(self._close_idle)

    async def read(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what `work` returns; it sees one consistent state of the file."""
        return await asyncio.to_thread(self._run, "BEGIN", lambda c: work(c, *args, **kwargs))

    async def write(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what `work` returns, after its changes were committed; one writer at a time."""
        async with self._writing:
            return await asyncio.to_thread(
                self._run, "BEGIN IMMEDIATE", lambda c: work(c, *args, **kwargs)
            )

    def _prepare(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._run("BEGIN IMMEDIATE", _create_and_seed)

    def _connect(self) -> sqlite3.Connection:
        # isolation_level=None: transactions begin and end where this file says so.
        # Threads take turns with a connection, but never share it.
        connection = sqlite3.connect(
            self._path,
            timeout=LOCK_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _run(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._take()
        try:
            connection.execute(begin)
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            return result
        finally:
            self._idle.append(connection)

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _create_and_seed(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == SEEDED_VERSION:
        return
    for name in ("schema.sql", "seed.sql"):
        for statement in _split_statements((_HERE / name).read_text(encoding="utf-8")):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SEEDED_VERSION}")


def _split_statements(script: str) -> Iterator[str]:
    # `executescript` would commit the open transaction first, and two starting
    # services could then both seed the file.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switches the file to write-ahead logging; waits for whoever is doing so already.

    SQLite's own timeout does not hold for this switch.
    """
    until = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
