"""Conversations, turns, traces, the ledger and snapshots are kept and read back."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from interlock.errors import ConversationNotFound, StoreError
from interlock.model.event import TraceEvent
from interlock.model.turn import Message, Spent
from interlock.model.usage import Usage
from interlock.store.records import TurnNotFound
from interlock.store.store import Store
from tests.unit.store.samples import (
    DIGEST,
    cost,
    new_conversation,
    request,
    result,
    trace_event,
)


async def test_a_new_conversation_reads_back_as_it_was_created(store: Store) -> None:
    created = await new_conversation(store)
    assert await store.conversation(created.id) == created
    assert created.id.startswith("conv_")
    assert created.session == {"tier": "gold"}
    assert created.spent == Spent()
    assert created.created_at == created.updated_at
    assert created.created_at.utcoffset() is not None


async def test_an_unknown_conversation_is_not_found(store: Store) -> None:
    with pytest.raises(ConversationNotFound, match="conv_x"):
        await store.conversation("conv_x")
    with pytest.raises(ConversationNotFound, match="conv_x"):
        await store.history("conv_x")


async def test_conversations_are_listed_newest_first_and_in_pages(store: Store) -> None:
    made = [await new_conversation(store, customer_id=f"cust_{i % 2}") for i in range(5)]
    newest_first = sorted((c.id for c in made), reverse=True)
    assert [c.id for c in await store.conversations()] == newest_first
    page = await store.conversations(limit=2)
    assert [c.id for c in page] == newest_first[:2]
    following = await store.conversations(limit=2, before=page[-1].id)
    assert [c.id for c in following] == newest_first[2:4]
    ours = await store.conversations(customer_id="cust_1")
    assert {c.id for c in ours} == {made[1].id, made[3].id}


async def test_a_customer_with_a_lone_surrogate_is_found_by_it(store: Store) -> None:
    made = await new_conversation(store, customer_id="c\ud800")
    assert made.customer_id == "c\ufffd"
    assert await store.conversations(customer_id="c\ud800") == (made,)


async def test_a_running_turn_and_its_message_are_there_at_once(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id, text="Hello")
    await store.begin_turn(asked, DIGEST)
    turn = await store.turn(asked.turn_id)
    assert (turn.state, turn.sequence, turn.text, turn.snapshot) == ("running", 1, "Hello", DIGEST)
    assert (turn.outcome, turn.reply, turn.ended_at, turn.tokens) == (None, None, None, 0)
    assert await store.transcript(conversation.id) == (Message("customer", "Hello"),)
    assert (await store.conversation(conversation.id)).updated_at == turn.started_at


async def test_an_ended_turn_holds_its_result(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    ended = result(outcome="escalated", escalation={"queue": "humans"}, unpriced_calls=2)
    await store.end_turn(asked.turn_id, conversation.id, ended)
    (turn,) = await store.turns(conversation.id)
    assert turn.state == "ended"
    for name in ("outcome", "reply", "reason", "iterations", "model_calls", "tool_calls"):
        assert getattr(turn, name) == getattr(ended, name)
    for name in ("tokens", "cost_nano", "unpriced_calls", "escalation"):
        assert getattr(turn, name) == getattr(ended, name)
    assert turn.ended_at is not None
    assert turn.ended_at >= turn.started_at


async def test_a_redacted_message_takes_the_place_of_what_was_written(store: Store) -> None:
    conversation = await new_conversation(store)
    before = request(conversation.id, text="my card is 4111")
    await store.begin_turn(before, DIGEST)
    await store.end_turn(before.turn_id, conversation.id, result(reply="4111?"))
    asked = request(conversation.id, text="my card is 4111")
    await store.begin_turn(asked, DIGEST)
    await store.end_turn(
        asked.turn_id, conversation.id, result(reply="Noted.", message="my card is [card]")
    )
    assert (await store.turn(asked.turn_id)).text == "my card is [card]"
    # Only the message of that turn, and only the customer's.
    expected = ["my card is 4111", "4111?", "my card is [card]", "Noted."]
    assert [each.text for each in await store.transcript(conversation.id)] == expected
    _, transcript = await store.history(conversation.id)
    assert [each.text for each in transcript] == expected


async def test_turns_and_messages_follow_each_other(store: Store) -> None:
    conversation = await new_conversation(store)
    other = await new_conversation(store)
    for number in (1, 2, 3):
        for owner in (conversation, other):
            asked = request(owner.id, text=f"question {number}")
            await store.begin_turn(asked, DIGEST)
            await store.end_turn(asked.turn_id, owner.id, result(reply=f"answer {number}"))
    assert [turn.sequence for turn in await store.turns(conversation.id)] == [1, 2, 3]
    found, transcript = await store.history(conversation.id)
    assert found == await store.conversation(conversation.id)
    assert [message.text for message in transcript] == [
        text for number in (1, 2, 3) for text in (f"question {number}", f"answer {number}")
    ]
    assert transcript == await store.transcript(conversation.id)


async def test_a_turn_of_an_unknown_conversation_is_refused(store: Store) -> None:
    await new_conversation(store)
    asked = request("conv_x")
    with pytest.raises(StoreError, match=asked.turn_id):
        await store.begin_turn(asked, DIGEST)
    with pytest.raises(TurnNotFound, match=asked.turn_id):
        await store.turn(asked.turn_id)
    assert await store.transcript("conv_x") == ()


async def test_a_turn_on_an_unknown_snapshot_is_refused(store: Store) -> None:
    conversation = await new_conversation(store)
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        await store.begin_turn(request(conversation.id), "e" * 64)
    assert await store.transcript(conversation.id) == ()


async def test_a_turn_cannot_begin_twice(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    with pytest.raises(StoreError, match="UNIQUE"):
        await store.begin_turn(asked, DIGEST)
    assert len(await store.transcript(conversation.id)) == 1


async def test_a_turn_cannot_end_twice_or_elsewhere(store: Store) -> None:
    conversation = await new_conversation(store)
    other = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    with pytest.raises(StoreError, match="not a running turn"):
        await store.end_turn(asked.turn_id, other.id, result())
    await store.end_turn(asked.turn_id, conversation.id, result(reply="first"))
    with pytest.raises(StoreError, match="not a running turn"):
        await store.end_turn(asked.turn_id, conversation.id, result(reply="second"))
    assert [m.text for m in await store.transcript(conversation.id)] == [asked.text, "first"]
    assert await store.transcript(other.id) == ()


async def test_what_was_recorded_is_there_when_the_turn_has_ended(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    events = tuple(trace_event(asked.turn_id, number, data={"n": number}) for number in (1, 2, 3))
    for event in events:
        store.record_event(event)
    entry = cost(asked.turn_id, conversation.id)
    store.record_cost(entry)
    await store.end_turn(asked.turn_id, conversation.id, result())
    assert await store.events(asked.turn_id) == events
    assert await store.ledger(conversation.id) == (entry,)


async def test_an_event_is_kept_as_it_was_when_recorded(store: Store) -> None:
    data = {"status": "before"}
    store.record_event(trace_event("turn_1", 1, data=data))
    data["status"] = "after"
    await store.flush()
    (event,) = await store.events("turn_1")
    assert event.data == {"status": "before"}


async def test_recorded_facts_are_written_although_nobody_asks(store: Store) -> None:
    store.record_event(trace_event("turn_1", 1))
    found: tuple[TraceEvent, ...] = ()
    while not found:  # ends when the writer has woken up by itself
        found = await store.events("turn_1")
    assert len(found) == 1


async def test_a_conversation_has_spent_what_its_ledger_says(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    store.record_cost(cost(asked.turn_id, conversation.id, cost_nano=7))
    store.record_cost(cost(asked.turn_id, conversation.id, cost_nano=None))
    store.record_cost(
        cost(asked.turn_id, conversation.id, usage=Usage(output=5), cost_nano=3, estimated=True)
    )
    await store.flush()
    found = await store.conversation(conversation.id)
    assert found.spent == Spent(tokens=1600 + 1600 + 5, cost_nano=10)
    assert found.unpriced_calls == 1
    assert found.updated_at == (await store.turn(asked.turn_id)).started_at


async def test_a_conversation_was_last_touched_when_a_turn_began_or_ended(store: Store) -> None:
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    store.record_cost(cost(asked.turn_id, conversation.id))
    await store.end_turn(asked.turn_id, conversation.id, result())
    ended_at = (await store.turn(asked.turn_id)).ended_at
    assert (await store.conversation(conversation.id)).updated_at == ended_at
    store.record_cost(cost(asked.turn_id, conversation.id))
    await store.flush()
    assert (await store.conversation(conversation.id)).updated_at == ended_at


async def test_the_ledger_keeps_its_order(store: Store) -> None:
    conversation = await new_conversation(store)
    entries = tuple(cost("turn_1", conversation.id, cost_nano=n) for n in (5, 3, 9, 1))
    for entry in entries:
        store.record_cost(entry)
    await store.flush()
    assert await store.ledger(conversation.id) == entries


async def test_money_is_recorded_even_for_an_unknown_turn(store: Store) -> None:
    entry = cost("turn_x", "conv_x")
    store.record_cost(entry)
    await store.flush()
    assert await store.ledger("conv_x") == (entry,)


async def test_an_interrupted_turn_ends_as_failed_with_what_it_cost(tmp_path: Path) -> None:
    url = "sqlite:///store.db"
    async with await Store.open(url, project=tmp_path) as store:
        conversation = await new_conversation(store)
        done, cut = request(conversation.id), request(conversation.id, text="Again")
        await store.begin_turn(done, DIGEST)
        store.record_cost(cost(done.turn_id, conversation.id))
        await store.end_turn(done.turn_id, conversation.id, result())
        await store.begin_turn(cut, DIGEST)
        for number, kind in enumerate(("plan", "model_call", "tool_call", "tool_result"), start=1):
            store.record_event(trace_event(cut.turn_id, number, type=kind, iteration=number))
        store.record_cost(cost(cut.turn_id, conversation.id))
        store.record_cost(cost(cut.turn_id, conversation.id, cost_nano=None))
    async with await Store.open(url, project=tmp_path) as store:
        (running,) = await store.interrupted_turns()
        assert running.id == cut.turn_id
        assert await store.end_interrupted_turns("Please ask again.") == 1
        turn = await store.turn(cut.turn_id)
        assert (turn.state, turn.outcome, turn.reason) == ("ended", "failed", "interrupted")
        assert (turn.iterations, turn.model_calls, turn.tool_calls) == (4, 1, 1)
        assert (turn.tokens, turn.cost_nano, turn.unpriced_calls) == (3200, 5000, 1)
        transcript = await store.transcript(conversation.id)
        assert transcript[-1] == Message("agent", "Please ask again.")
        found = await store.conversation(conversation.id)
        assert found.spent == Spent(tokens=4800, cost_nano=10000)
        assert await store.interrupted_turns() == ()
        assert await store.end_interrupted_turns("Please ask again.") == 0


async def test_a_snapshot_is_kept_once(store: Store) -> None:
    files = {"interlock.yaml": "größe: 1\n".encode(), "plugins/x.py": b"# \xe9\n"}
    await store.save_snapshot("a" * 64, files)
    await store.save_snapshot("a" * 64, {"other.yaml": b""})
    assert await store.snapshot_files("a" * 64) == files
    assert await store.snapshot_files("b" * 64) is None


async def test_what_is_not_json_is_refused_where_somebody_waits(store: Store) -> None:
    with pytest.raises(StoreError, match="not JSON"):
        await store.create_conversation(agent="a", customer_id=None, session={"x": object()})


async def test_recording_never_raises(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        store.record_event(trace_event("turn_1", 1, data={"x": object()}))
    assert store.failed_records == 1
    assert "event 1 of turn 'turn_1' was not stored" in caplog.text


async def test_after_closing_writes_and_reads_are_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await Store.open("sqlite:///store.db", project=tmp_path)
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.save_snapshot(DIGEST, {})
    with pytest.raises(StoreError, match="closed"):
        await store.turns("conv_1")
    store.record_event(trace_event("turn_1", 1))
    assert store.failed_records == 1
    assert "closed" in caplog.text
