"""Opening a database: found, locked, brought up to date, connected."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from interlock.errors import StoreError
from interlock.store.migrate import check_schema, migrate
from interlock.store.sqlite import database_path, read_engine, take_lock, write_engine

__all__ = ["READERS", "Database", "open_database"]

READERS = 4
"""Reads under way at once."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. `resources` closes its connections and then gives up its lock."""

    read: Engine
    write: Engine | None
    """None if it was opened for reading only."""
    resources: ExitStack


def open_database(url: str, *, project: Path, read_only: bool) -> Database:
    """Opens the database; blocks. `StoreError` says what is in the way."""
    path = database_path(url, project=project)
    with ExitStack() as stack:
        try:
            if read_only:
                write = None
                if not path.is_file():
                    raise StoreError(f"there is no store '{path}'; starting the service makes it")
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(take_lock(path))
                write = write_engine(path)
                stack.callback(write.dispose)
                migrate(write)
            read = read_engine(path, connections=READERS)
            stack.callback(read.dispose)
            check_schema(read)
        except (DBAPIError, sqlite3.Error, OSError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"the store '{path}' cannot be opened: {reason}") from error
        return Database(read=read, write=write, resources=stack.pop_all())
