"""What is switched off is kept until it is lifted, and on record afterwards."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from interlock.errors import StoreError
from interlock.store.records import Switch
from interlock.store.store import Store
from tests.unit.store.samples import TIME

AGENT = Switch("agent", "support", None, TIME, "ops", "it promises refunds")
TOOL = Switch("tool", "create_refund", None, TIME, None, "double refunds")
TOOL_OF_ONE = replace(TOOL, agent="support")


async def test_what_is_off_reads_back_and_outlives_the_store(tmp_path: Path) -> None:
    async with await Store.open("sqlite:///s.db", project=tmp_path) as store:
        for switch in (AGENT, TOOL, TOOL_OF_ONE):
            await store.set_switch(switch)
    async with await Store.open("sqlite:///s.db", project=tmp_path, read_only=True) as store:
        assert set(await store.switches()) == {AGENT, TOOL, TOOL_OF_ONE}


async def test_what_is_off_already_stays_as_it_was(store: Store) -> None:
    for switch in (TOOL, TOOL_OF_ONE):
        await store.set_switch(switch)
        await store.set_switch(replace(switch, who="late", why="other"))
    assert set(await store.switches()) == {TOOL, TOOL_OF_ONE}


async def test_a_lifted_switch_is_off_no_more_and_can_be_set_again(store: Store) -> None:
    for switch in (TOOL, TOOL_OF_ONE):
        await store.set_switch(switch)
    await store.lift_switch("tool", "create_refund", agent="support", who="ops")
    assert await store.switches() == (TOOL,)
    await store.lift_switch("tool", "create_refund", agent=None, who="ops")
    assert await store.switches() == ()
    again = replace(TOOL, why="again")
    await store.set_switch(again)
    assert await store.switches() == (again,)


async def test_lifting_what_is_not_off_changes_nothing(store: Store) -> None:
    await store.set_switch(AGENT)
    await store.lift_switch("tool", "support", agent=None, who=None)
    await store.lift_switch("agent", "other", agent=None, who=None)
    assert await store.switches() == (AGENT,)


async def test_who_switched_it_off_and_on_stays_on_record(tmp_path: Path) -> None:
    async with await Store.open("sqlite:///s.db", project=tmp_path) as store:
        await store.set_switch(AGENT)
        await store.lift_switch("agent", "support", agent=None, who="night shift")
        await store.lift_switch("agent", "support", agent=None, who="somebody else")
    with closing(sqlite3.connect(tmp_path / "s.db")) as database:
        rows = database.execute("SELECT who, why, lifted_by, lifted_at FROM switches").fetchall()
    [(who, why, lifted_by, lifted_at)] = rows
    assert (who, why, lifted_by) == ("ops", "it promises refunds", "night shift")
    assert lifted_at.endswith("+00:00")


async def test_a_reader_cannot_switch_anything(tmp_path: Path) -> None:
    async with await Store.open("sqlite:///s.db", project=tmp_path):
        pass
    async with await Store.open("sqlite:///s.db", project=tmp_path, read_only=True) as store:
        with pytest.raises(StoreError, match="opened for reading only"):
            await store.set_switch(AGENT)
