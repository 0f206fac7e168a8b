"""What is particular to SQLite: one file, one process that writes, and its settings."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from interlock.errors import StoreError

__all__ = ["database_path", "read_engine", "take_lock", "write_engine"]

_DRIVERS = {"sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"}

_SHARED = ("PRAGMA busy_timeout = 5000",)
_WRITER = (
    *_SHARED,
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer
    "PRAGMA synchronous = NORMAL",  # survives kill -9; a power cut may undo the last commits
    "PRAGMA foreign_keys = ON",
)


def database_path(url: str, *, project: Path) -> Path:
    """The file that a store URL names, absolute; `StoreError` if it names none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            f"store url '{url}' is not a URL; write for example sqlite:///var/interlock.db"
        ) from None
    shown = parsed.render_as_string(hide_password=True)
    if parsed.drivername not in _DRIVERS:
        raise StoreError(f"store url '{shown}': only SQLite is supported, as sqlite:///PATH")
    name = parsed.database
    if not name or name == ":memory:" or name.startswith("file:"):
        raise StoreError(f"store url '{shown}' names no file; write sqlite:///PATH")
    if parsed.query or parsed.host:
        raise StoreError(
            f"store url '{shown}': only a path is understood, with three slashes before a relative "
            "one, four for an absolute one, and no options"
        )
    return (project / name).resolve()


def take_lock(database: Path) -> IO[str]:
    """Makes this process the only one that writes to `database`, until the result is closed.

    Raises `StoreError` that names the process which is writing already.
    """
    path = database.with_name(f"{database.name}.lock")
    lock = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StoreError(
            f"'{database}' is in use by another process (pid {owner}); stop it, "
            "or give this one a store of its own"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def write_engine(database: Path) -> Engine:
    """An engine with one connection, whose transactions take the write lock at once."""
    engine = create_engine(
        URL.create("sqlite", database=str(database)),
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # they are customers' data, which errors must not show
    )
    _prepare(engine, _WRITER, begin="BEGIN IMMEDIATE")
    return engine


def read_engine(database: Path, *, connections: int) -> Engine:
    """An engine that can only read, and never waits for the writer."""
    uri = f"{database.as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
    )
    _prepare(engine, _SHARED, begin=None)
    return engine


def _prepare(engine: Engine, pragmas: Sequence[str], *, begin: str | None) -> None:
    def connect(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        # Python's sqlite3 would begin transactions by its own rules, and none for DDL.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def start(connection: Connection) -> None:
        if begin is not None:
            connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", start)
