"""Migrations bring a database to exactly the tables, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from interlock.errors import StoreError
from interlock.store.encoding import encode_time, pack_files
from interlock.store.migrate import alembic_config, migrate
from interlock.store.records import Switch
from interlock.store.sqlite import write_engine
from interlock.store.store import Store
from interlock.store.tables import SCHEMA, metadata
from tests.unit.store.samples import DIGEST, TIME, new_conversation


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = write_engine(tmp_path / "store.db")
    yield made
    made.dispose()


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def test_an_empty_database_gets_exactly_the_tables(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        assert _differences(connection) == []


def test_a_difference_would_be_seen(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP INDEX ix_ledger_time")
        connection.exec_driver_sql("ALTER TABLE turns DROP COLUMN reason")
        assert len(_differences(connection)) == 2


def test_the_newest_migration_is_the_schema_that_the_code_names(engine: Engine) -> None:
    with engine.begin() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
        assert scripts.get_heads() == [SCHEMA]


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        assert _differences(connection) == []


def test_downgrading_leaves_no_table(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    migrate(engine)
    with engine.connect() as connection:
        assert _differences(connection) == []


def test_a_migration_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE trace_events (x)")
    with pytest.raises(Exception, match="trace_events already exists"):
        migrate(engine)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["trace_events"]


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_newer_store_is_refused(tmp_path: Path, read_only: bool) -> None:
    async with await Store.open("sqlite:///store.db", project=tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / "store.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=rf"9999.*{SCHEMA}"):
        await Store.open("sqlite:///store.db", project=tmp_path, read_only=read_only)


async def test_an_older_store_is_brought_up_to_date_with_all_that_it_holds(
    tmp_path: Path, engine: Engine
) -> None:
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO snapshots VALUES (?, ?, ?)",
            (DIGEST, encode_time(TIME), pack_files({"a": b"1"})),
        )
    with pytest.raises(StoreError, match="schema 0001"):
        await Store.open("sqlite:///store.db", project=tmp_path, read_only=True)
    async with await Store.open("sqlite:///store.db", project=tmp_path) as store:
        assert await store.snapshot_files(DIGEST) == {"a": b"1"}
        assert (await store.activations(), await store.switches()) == ((), ())
        entry = await store.record_activation(
            digest=DIGEST, files={}, previous=None, at=TIME, trigger="start", who=None, why=None
        )
        assert await store.activations() == (entry,)
    with engine.connect() as connection:
        assert _differences(connection) == []


async def test_an_older_version_finds_its_own_tables_after_a_downgrade(
    tmp_path: Path, engine: Engine
) -> None:
    async with await Store.open("sqlite:///store.db", project=tmp_path) as store:
        made = await new_conversation(store)
        await store.set_switch(Switch("agent", "support", None, TIME, "ops", "loops"))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0001")
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        assert {"activations", "switches"}.isdisjoint(names)
        found = connection.exec_driver_sql("SELECT id FROM conversations").scalars().all()
        assert found == [made.id]


async def test_a_reader_does_not_migrate(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "store.db").close()
    (tmp_path / "store.db").touch()
    with pytest.raises(StoreError, match="schema none"):
        await Store.open("sqlite:///store.db", project=tmp_path, read_only=True)
