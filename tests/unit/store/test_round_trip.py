"""Whatever text and JSON comes in is read back, with only what cannot be stored replaced."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.model.turn import Message
from interlock.model.usage import Usage
from interlock.store.encoding import clean_text, decode_json, encode_json
from interlock.store.store import Store
from tests.unit.store.samples import (
    DIGEST,
    cost,
    new_conversation,
    request,
    result,
    trace_event,
)

_TEXT = st.text(st.characters())  # lone surrogates and NUL included
_COUNT = st.integers(min_value=0, max_value=2**63 - 1)
_TIME = st.datetimes(
    min_value=datetime.fromisoformat("0001-01-02"),
    max_value=datetime.fromisoformat("9999-12-30"),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=7, minutes=30))]),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_OBJECT = st.dictionaries(_TEXT, _JSON, max_size=4)

_EVENT: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    time=_TIME,
    customer_id=st.none() | _TEXT,
    agent=_TEXT,
    latency_ms=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    model=st.none() | _TEXT,
    tokens=st.none() | _COUNT,
    cost_nano=st.none() | _COUNT,
    data=_OBJECT,
)
_COST: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    time=_TIME,
    customer_id=st.none() | _TEXT,
    agent=_TEXT,
    route=_TEXT,
    provider=_TEXT,
    model=_TEXT,
    usage=st.builds(Usage, *[st.integers(min_value=0, max_value=2**40)] * 5),
    cost_nano=st.none() | st.integers(min_value=0, max_value=2**50),
    estimated=st.booleans(),
)


def _with_store(use: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as project:
            async with await Store.open("sqlite:///store.db", project=Path(project)) as store:
                await use(store)
                assert store.failed_records == 0

    asyncio.run(run())


def _cleaned(values: dict[str, Any]) -> dict[str, Any]:
    """What is read back of `values`."""
    read: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, str):
            read[name] = clean_text(value)
        elif isinstance(value, dict):
            read[name] = decode_json(encode_json(value))
        else:
            read[name] = value
    return read


@settings(max_examples=30, deadline=None)
@given(st.lists(_EVENT, max_size=8))
def test_events_round_trip(given_events: list[dict[str, Any]]) -> None:
    async def use(store: Store) -> None:
        for sequence, values in enumerate(given_events, start=1):
            store.record_event(trace_event("turn_1", sequence, **values))
        await store.flush()
        assert await store.events("turn_1") == tuple(
            trace_event("turn_1", sequence, **_cleaned(values))
            for sequence, values in enumerate(given_events, start=1)
        )

    _with_store(use)


@settings(max_examples=30, deadline=None)
@given(st.lists(_COST, max_size=8))
def test_the_ledger_round_trips(given_entries: list[dict[str, Any]]) -> None:
    async def use(store: Store) -> None:
        conversation = await new_conversation(store)
        for values in given_entries:
            store.record_cost(cost("turn_1", conversation.id, **values))
        await store.flush()
        assert await store.ledger(conversation.id) == tuple(
            cost("turn_1", conversation.id, **_cleaned(values)) for values in given_entries
        )
        found = await store.conversation(conversation.id)
        assert found.spent.tokens == sum(values["usage"].total for values in given_entries)
        assert found.spent.cost_nano == sum(v["cost_nano"] or 0 for v in given_entries)

    _with_store(use)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(_TEXT, _TEXT, st.none() | _OBJECT), max_size=4), _OBJECT)
def test_conversations_round_trip(
    exchanges: list[tuple[str, str, dict[str, Any] | None]], session: dict[str, Any]
) -> None:
    async def use(store: Store) -> None:
        await store.save_snapshot(DIGEST, {})
        conversation = await store.create_conversation(
            agent="support", customer_id=None, session=session
        )
        assert await store.conversation(conversation.id) == conversation
        expected = []
        for text, reply, escalation in exchanges:
            asked = request(conversation.id, text=text)
            await store.begin_turn(asked, DIGEST)
            await store.end_turn(
                asked.turn_id, conversation.id, result(reply=reply, escalation=escalation)
            )
            expected += [Message("customer", clean_text(text)), Message("agent", clean_text(reply))]
            kept = (await store.turn(asked.turn_id)).escalation
            assert kept == (None if escalation is None else decode_json(encode_json(escalation)))
        assert await store.transcript(conversation.id) == tuple(expected)

    _with_store(use)
