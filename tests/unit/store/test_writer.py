"""Group commit: few transactions, no lost rows, and failures told to those they concern."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, Engine, event

from interlock.errors import StoreError
from interlock.store import writes
from interlock.store.migrate import migrate
from interlock.store.sqlite import write_engine
from interlock.store.store import Store
from interlock.store.writer import MAX_EVENTS, Writer
from tests.unit.store.samples import (
    DIGEST,
    cost,
    new_conversation,
    request,
    result,
    trace_event,
)


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = write_engine(tmp_path / "store.db")
    migrate(made)
    yield made
    made.dispose()


async def test_writes_that_wait_together_are_committed_together(engine: Engine) -> None:
    begun: list[Connection] = []
    event.listen(engine, "begin", begun.append)
    writer = Writer(engine)
    await asyncio.gather(
        *(
            writer.commit(f"snapshot {n}", writes.snapshot_rows(str(n), {}, now="now"))
            for n in range(100)
        )
    )
    await writer.close()
    assert len(begun) <= 2
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM snapshots").scalar() == 100


async def test_many_callers_at_once_lose_nothing(store: Store) -> None:
    conversations = [await new_conversation(store) for _ in range(40)]

    async def converse(conversation_id: str) -> None:
        for number in range(5):
            asked = request(conversation_id, text=f"q{number}")
            await store.begin_turn(asked, DIGEST)
            for sequence in range(1, 6):
                store.record_event(trace_event(asked.turn_id, sequence))
                await asyncio.sleep(0)
            store.record_cost(cost(asked.turn_id, conversation_id))
            await store.end_turn(asked.turn_id, conversation_id, result(reply=f"a{number}"))
            assert len(await store.events(asked.turn_id)) == 5

    await asyncio.gather(*(converse(conversation.id) for conversation in conversations))
    for conversation in conversations:
        found, transcript = await store.history(conversation.id)
        assert found.spent.tokens == 5 * 1600
        assert len(await store.ledger(conversation.id)) == 5
        assert [m.text for m in transcript] == [f"{who}{n}" for n in range(5) for who in "qa"]
    assert (store.dropped_events, store.failed_records) == (0, 0)


async def test_a_bad_write_does_not_harm_the_others_of_its_batch(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = await new_conversation(store)
    good = [request(conversation.id, text=str(number)) for number in range(8)]
    bad = request("conv_x")
    store.record_event(trace_event("turn_1", 1))
    store.record_event(trace_event("turn_1", 1))  # the same identity
    store.record_event(trace_event("turn_1", 2, tokens=2**70))  # more than the column can hold
    store.record_event(trace_event("turn_1", 3))
    store.record_cost(cost("turn_1", conversation.id))
    store.record_cost(cost("turn_1", conversation.id, cost_nano=2**70))
    answers = await asyncio.gather(
        *(store.begin_turn(asked, DIGEST) for asked in (*good[:4], bad, *good[4:])),
        return_exceptions=True,
    )
    failed = [answer for answer in answers if answer is not None]
    assert len(failed) == 1
    assert isinstance(answers[4], StoreError)
    assert bad.turn_id in str(answers[4])
    assert [turn.text for turn in await store.turns(conversation.id)] == [a.text for a in good]
    assert [found.sequence for found in await store.events("turn_1")] == [1, 3]
    assert len(await store.ledger(conversation.id)) == 1
    assert (await store.conversation(conversation.id)).spent.tokens == 1600
    assert store.failed_records == 3
    assert "UNIQUE constraint failed" in caplog.text


async def test_rows_that_belong_together_are_written_or_refused_together(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    with pytest.raises(StoreError, match=asked.turn_id):
        await store.end_turn(asked.turn_id, conversation.id, result(cost_nano=2**70))
    assert len(await store.transcript(conversation.id)) == 1
    assert (await store.turn(asked.turn_id)).state == "running"


async def test_an_outage_fails_those_who_wait_and_keeps_what_was_recorded(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = await new_conversation(store)
    outside = sqlite3.connect(tmp_path / "var" / "interlock.db", isolation_level=None)
    try:
        outside.execute("ALTER TABLE ledger RENAME TO hidden")
        store.record_event(trace_event("turn_1", 1))
        store.record_cost(cost("turn_1", conversation.id))
        with pytest.raises(StoreError, match="no such table"):
            await store.begin_turn(request(conversation.id), DIGEST)
        with pytest.raises(StoreError, match="no such table"):
            await store.flush()
        assert caplog.text.count("the store cannot be written") == 1
        outside.execute("ALTER TABLE hidden RENAME TO ledger")
        await store.flush()
    finally:
        outside.close()
    assert "can be written again" in caplog.text
    assert len(await store.events("turn_1")) == 1
    assert len(await store.ledger(conversation.id)) == 1
    assert (await store.conversation(conversation.id)).spent.tokens == 1600
    assert await store.turns(conversation.id) == ()
    assert store.failed_records == 0


async def test_what_an_outage_leaves_unwritten_at_the_end_is_counted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await Store.open("sqlite:///store.db", project=tmp_path)
    outside = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    outside.execute("DROP TABLE ledger")
    outside.close()
    store.record_cost(cost("turn_1", "conv_1"))
    await store.close()
    assert store.failed_records == 1
    assert "a ledger entry of turn 'turn_1' was not stored" in caplog.text


async def test_too_many_events_are_dropped_but_never_the_ledger(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = await new_conversation(store)
    for sequence in range(1, MAX_EVENTS + 11):
        store.record_event(trace_event("turn_1", sequence, data={}))
    store.record_cost(cost("turn_1", conversation.id))
    assert store.dropped_events == 10
    await store.flush()
    assert len(await store.events("turn_1")) == MAX_EVENTS
    assert len(await store.ledger(conversation.id)) == 1
    assert "10 trace events dropped" in caplog.text
    store.record_event(trace_event("turn_2", 1))
    await store.flush()
    assert len(await store.events("turn_2")) == 1


async def test_a_cancelled_caller_does_not_disturb_the_writer(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    task = asyncio.create_task(store.begin_turn(asked, DIGEST))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.flush()
    assert [turn.id for turn in await store.turns(conversation.id)] == [asked.turn_id]


async def test_closing_writes_what_was_recorded(tmp_path: Path) -> None:
    async with await Store.open("sqlite:///store.db", project=tmp_path) as store:
        store.record_event(trace_event("turn_1", 1))
    async with await Store.open("sqlite:///store.db", project=tmp_path, read_only=True) as store:
        assert len(await store.events("turn_1")) == 1


async def test_readers_do_not_wait_for_a_writer(store: Store, tmp_path: Path) -> None:
    conversation = await new_conversation(store)
    outside = sqlite3.connect(tmp_path / "var" / "interlock.db", isolation_level=None)
    try:
        outside.execute("BEGIN EXCLUSIVE")
        outside.execute("DELETE FROM conversations")
        assert await store.conversation(conversation.id) == conversation
        outside.execute("ROLLBACK")
    finally:
        outside.close()


async def test_errors_do_not_show_customers_words(store: Store) -> None:
    asked = request("conv_x", text="my secret")
    with pytest.raises(StoreError) as caught:
        await store.begin_turn(asked, DIGEST)
    assert "my secret" not in f"{caught.value} {caught.value.__cause__}"
