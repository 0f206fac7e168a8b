"""The conversations that the store remembers say what the database says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from interlock.errors import ConversationNotFound, StoreError
from interlock.model.turn import Message, Spent
from interlock.store.live import LiveConversations
from interlock.store.records import Conversation
from interlock.store.store import Store
from tests.unit.store.samples import cost, new_conversation, request, result

DIGEST = "d" * 64


def conversation(name: str) -> Conversation:
    now = datetime.now(UTC)
    return Conversation(name, "support", None, {}, now, now, Spent(), 0)


async def test_history_is_that_of_the_database_after_every_kind_of_write(store: Store) -> None:
    await store.save_snapshot(DIGEST, {})
    begun = await new_conversation(store)
    for number in range(3):
        asked = request(begun.id, text=f"question {number}\ud800")
        await store.begin_turn(asked, DIGEST)
        store.record_cost(cost(asked.turn_id, begun.id))
        store.record_cost(cost(asked.turn_id, begun.id, cost_nano=None))
        await store.end_turn(asked.turn_id, begun.id, result(reply=f"answer {number}"))
        read = await store.conversation(begun.id), await store.transcript(begun.id)
        assert await store.history(begun.id) == read
        assert len(read[1]) == 2 * number + 2


async def test_a_write_that_failed_leaves_the_database_to_be_asked(store: Store) -> None:
    await store.save_snapshot(DIGEST, {})
    begun = await new_conversation(store)
    asked = request(begun.id)
    await store.begin_turn(asked, DIGEST)
    with pytest.raises(StoreError):
        await store.begin_turn(asked, DIGEST)
    read = await store.conversation(begun.id), await store.transcript(begun.id)
    assert await store.history(begun.id) == read


async def test_an_unknown_conversation_is_not_made_up(store: Store) -> None:
    with pytest.raises(ConversationNotFound):
        await store.history("conv_unknown")


def test_the_least_used_conversation_is_dropped_first() -> None:
    live = LiveConversations(most=3)
    for name in ("a", "b", "c"):
        live.put(conversation(name), ())
    live.get("a")
    live.put(conversation("d"), ())
    assert live.get("b") is None
    assert all(live.get(name) is not None for name in ("a", "c", "d"))


def test_what_is_not_known_is_neither_changed_nor_added() -> None:
    live = LiveConversations()
    live.add_message("x", Message("customer", "hello"), at=datetime.now(UTC))
    live.charge(cost("turn_1", "x"))
    live.forget("x")
    assert live.get("x") is None
