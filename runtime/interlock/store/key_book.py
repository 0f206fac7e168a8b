"""Making and revoking API keys in a store, whether or not a service uses it. Blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from interlock.errors import InterlockError, StoreError
from interlock.ids import new_id
from interlock.model.identity import Role
from interlock.store.encoding import clean_text
from interlock.store.migrate import check_schema, migrate
from interlock.store.reads import read_api_keys
from interlock.store.records import StoredKey
from interlock.store.sqlite import database_path, take_lock, write_engine
from interlock.store.tables import api_keys

__all__ = ["KeyBook", "KeyNameTaken", "UnknownKey", "open_key_book"]


class KeyNameTaken(InterlockError):
    """An active key has that name."""

    code: ClassVar[str] = "key_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is a key named '{name}' already; revoke it first, or choose another name"
        )


class UnknownKey(InterlockError):
    """No active key has that name."""

    code: ClassVar[str] = "unknown_key"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no key named '{name}' in the store; `interlock keys list` shows what there "
            "is, and keys of interlock.yaml are removed there"
        )


class KeyBook:
    """The API keys of an open store. Every method raises `StoreError` if it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def entries(self) -> tuple[StoredKey, ...]:
        """All that were ever made, oldest first."""
        with self._transaction() as connection:
            return read_api_keys(connection)

    def create(
        self,
        name: str,
        *,
        role: Role,
        sha256: str,
        now: datetime,
        created_by: str | None,
        expires_at: datetime | None,
    ) -> StoredKey:
        """Keeps a key by its hash. Raises `KeyNameTaken`; an expired key gives its name away."""
        by = None if created_by is None else clean_text(created_by)
        key = StoredKey(new_id("key"), name, role, sha256, now, by, expires_at, None, None)
        row = {column.name: getattr(key, column.name) for column in api_keys.columns}
        expired = update(api_keys).where(
            api_keys.c.name == name,
            api_keys.c.revoked_at.is_(None),
            api_keys.c.expires_at <= now,
        )
        try:
            with self._transaction() as connection:
                connection.execute(expired.values(revoked_at=now))
                connection.execute(insert(api_keys).values(row))
        except IntegrityError as error:
            raise KeyNameTaken(name) from error
        return key

    def revoke(self, name: str, *, now: datetime) -> StoredKey:
        """Ends a key at once. Raises `UnknownKey`."""
        active = (api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        with self._transaction() as connection:
            row = connection.execute(select(api_keys).where(*active)).one_or_none()
            if row is None:
                raise UnknownKey(name)
            connection.execute(update(api_keys).where(*active).values(revoked_at=now))
        return StoredKey(**{**row._mapping, "revoked_at": now})

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise StoreError(f"the keys of the store cannot be used: {error.orig}") from error


@contextmanager
def open_key_book(url: str, *, project: Path) -> Iterator[KeyBook]:
    """The keys of the store at `url`, which is made or migrated unless a service uses it.

    A service that runs meanwhile goes on: a key takes one short transaction, for which the
    database itself keeps the order. Raises `StoreError`.
    """
    path = database_path(url, project=project)
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            engine = write_engine(path)
            stack.callback(engine.dispose)
            _bring_up_to_date(engine, path)
        except (DBAPIError, sqlite3.Error, OSError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"the store '{path}' cannot be opened: {reason}") from error
        yield KeyBook(engine)


def _bring_up_to_date(engine: Engine, path: Path) -> None:
    """Takes the lock only to change tables: a service that is just starting needs it too."""
    try:
        check_schema(engine)
    except StoreError:
        with take_lock(path):
            migrate(engine)
