from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from interlock.engine.switches import Switches
from interlock.errors import StoreError
from interlock.store.store import Store

NOTHING = {"agent": None, "tools": {}}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open("sqlite:///s.db", project=tmp_path) as store:
        yield store


async def test_nothing_is_off_in_the_beginning(store: Store) -> None:
    switches = Switches(store)
    await switches.load()
    assert switches.active == ()
    assert switches.of_agent("support") == NOTHING


async def test_an_agent_that_is_off_is_off_for_itself_only(store: Store) -> None:
    switches = Switches(store)
    made = await switches.disable("agent", "support", who="ops", why="it loops")
    shown = switches.of_agent("support")
    assert shown["agent"] == {"since": made.since.isoformat(), "who": "ops", "why": "it loops"}
    assert switches.of_agent("sales") == NOTHING


async def test_a_tool_is_off_for_all_or_for_one(store: Store) -> None:
    switches = Switches(store)
    await switches.disable("tool", "refund", who=None, why="twice")
    await switches.disable("tool", "note", agent="support", who=None, why="spam")
    assert switches.of_agent("support")["tools"].keys() == {"refund", "note"}
    assert switches.of_agent("sales")["tools"].keys() == {"refund"}
    # For one and for all are two switches: lifting one leaves the other.
    await switches.disable("tool", "refund", agent="support", who=None, why="here too")
    await switches.enable("tool", "refund", who=None)
    assert switches.of_agent("support")["tools"].keys() == {"refund", "note"}
    assert switches.of_agent("sales") == NOTHING


async def test_a_tool_of_an_agents_name_is_another_thing(store: Store) -> None:
    switches = Switches(store)
    await switches.disable("tool", "support", who=None, why="x")
    assert switches.of_agent("support")["agent"] is None


async def test_switching_twice_is_switching_once(store: Store) -> None:
    switches = Switches(store)
    first = await switches.disable("agent", "support", who="a", why="first")
    assert await switches.disable("agent", "support", who="b", why="second") == first
    assert switches.active == (first,) == await store.switches()
    assert await switches.enable("agent", "support", who="a") == first
    assert await switches.enable("agent", "support", who="a") is None
    assert switches.active == () == await store.switches()


async def test_what_is_off_is_off_in_the_next_process(store: Store) -> None:
    made = await Switches(store).disable("agent", "support", who="ops", why="it loops")
    later = Switches(store)
    assert later.active == ()
    await later.load()
    assert later.active == (made,)
    await later.load()
    assert later.active == (made,)


async def test_the_first_switch_of_a_process_keeps_those_of_the_last(store: Store) -> None:
    before = await Switches(store).disable("agent", "support", who=None, why="a")
    later = Switches(store)
    made = await later.disable("tool", "refund", who=None, why="b")
    assert later.active == (before, made)


async def test_a_failing_store_does_not_keep_anything_on(store: Store) -> None:
    switches = Switches(store)
    await switches.load()
    await store.close()
    with pytest.raises(StoreError):
        await switches.disable("agent", "support", who=None, why="now")
    assert switches.of_agent("support")["agent"] is not None
    with pytest.raises(StoreError):
        await switches.enable("agent", "support", who=None)
    assert switches.of_agent("support")["agent"] is not None
