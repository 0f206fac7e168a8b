"""A store opens where it should, once, and says clearly why it does not."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from interlock.errors import StoreError
from interlock.store.sqlite import read_engine
from interlock.store.store import Store
from tests.unit.store.samples import DIGEST, new_conversation, request, trace_event


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"])
async def test_a_relative_path_is_relative_to_the_project(tmp_path: Path, scheme: str) -> None:
    async with await Store.open(f"{scheme}:///a/b/store.db", project=tmp_path):
        assert (tmp_path / "a/b/store.db").is_file()


async def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "odd name #1?%41é" / "store.db"
    for _ in range(2):
        async with await Store.open(
            f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}",
            project=tmp_path / "elsewhere",
        ) as store:
            await new_conversation(store)
            assert len(await store.conversations()) > 0
    assert path.is_file()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("var/store.db", "is not a URL"),
        ("mysql://u:hidden@localhost/x", "only SQLite is supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?uri=true", "names no file"),
        ("sqlite:///x.db?mode=ro", "only a path is understood"),
        ("sqlite://var/x.db", "three slashes"),
    ],
)
async def test_an_unusable_url_is_explained(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as caught:
        await Store.open(url, project=tmp_path)
    assert "hidden" not in str(caught.value)
    assert os.listdir(tmp_path) == []


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("this is not a database, whatever its name says" * 50)
    for path in ("file/store.db", "folder.db", "text.db"):
        with pytest.raises(StoreError, match=f"{path}' cannot be opened"):
            await Store.open(f"sqlite:///{path}", project=tmp_path)


async def test_after_a_failed_opening_the_lock_is_free(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("this is not a database, whatever its name says" * 50)
    with pytest.raises(StoreError, match="cannot be opened"):
        await Store.open("sqlite:///store.db", project=tmp_path)
    path.unlink()
    async with await Store.open("sqlite:///store.db", project=tmp_path):
        pass


async def test_a_second_writer_is_told_who_is_the_first(tmp_path: Path) -> None:
    url = "sqlite:///store.db"
    (tmp_path / "link.db").symlink_to("store.db")
    async with await Store.open(url, project=tmp_path):
        for again in (url, "sqlite:///link.db"):
            with pytest.raises(StoreError, match=rf"in use by another process \(pid {os.getpid()}"):
                await Store.open(again, project=tmp_path)
    async with await Store.open(url, project=tmp_path):
        pass


_HOLD = """
import asyncio, sys
from pathlib import Path
from interlock.store.store import Store

async def main():
    await Store.open("sqlite:///store.db", project=Path(sys.argv[1]))
    print("open", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


async def test_another_process_holds_the_lock_until_it_is_killed(tmp_path: Path) -> None:
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HOLD, str(tmp_path)), stdin=PIPE, stdout=PIPE
    )
    try:
        assert other.stdout is not None
        assert await other.stdout.readline() == b"open\n"
        with pytest.raises(StoreError, match=f"pid {other.pid}"):
            await Store.open("sqlite:///store.db", project=tmp_path)
    finally:
        other.kill()
        await other.communicate()
    async with await Store.open("sqlite:///store.db", project=tmp_path):
        pass


async def test_a_reader_needs_no_lock_and_cannot_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = "sqlite:///store.db"
    async with await Store.open(url, project=tmp_path) as store:
        conversation = await new_conversation(store)
        async with await Store.open(url, project=tmp_path, read_only=True) as reader:
            assert await reader.conversation(conversation.id) == conversation
            with pytest.raises(StoreError, match="for reading only"):
                await reader.begin_turn(request(conversation.id), DIGEST)
            reader.record_event(trace_event("turn_1", 1))
            assert "for reading only" in caplog.text
            await store.begin_turn(request(conversation.id), DIGEST)
            assert len(await reader.turns(conversation.id)) == 1
    async with await Store.open(url, project=tmp_path, read_only=True) as reader:
        assert len(await reader.turns(conversation.id)) == 1
        assert (reader.dropped_events, reader.failed_records) == (0, 0)


async def test_connections_for_reading_cannot_write(store: Store, tmp_path: Path) -> None:
    engine = read_engine(tmp_path / "var" / "interlock.db", connections=1)
    try:
        with engine.connect() as connection, pytest.raises(OperationalError, match="readonly"):
            connection.exec_driver_sql("DELETE FROM turns")
    finally:
        engine.dispose()


async def test_a_reader_does_not_make_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        await Store.open("sqlite:///var/store.db", project=tmp_path, read_only=True)
    assert os.listdir(tmp_path) == []


async def test_opening_is_silent_and_leaves_logging_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = list(logging.root.handlers), logging.root.level
    async with await Store.open("sqlite:///store.db", project=tmp_path):
        pass
    assert (list(logging.root.handlers), logging.root.level) == before
    assert {type(h) for h in logging.getLogger("alembic").handlers} <= {logging.NullHandler}
    assert capfd.readouterr() == ("", "")
