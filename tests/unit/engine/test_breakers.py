"""The breakers of a process: what they refuse, whom they tell, and what they keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock.breakers.spend import CapReached, Hold
from interlock.engine.breaker_names import UnknownBreaker
from interlock.engine.breaker_notice import Paused
from interlock.engine.breakers import Breakers
from interlock.model.base import NANO
from interlock.store.store import Store
from tests.unit.engine.world import NOW, World, snapshot
from tests.unit.store.samples import cost, new_conversation


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open("sqlite:///s.db", project=tmp_path) as store:
        yield store


def a_tool(breakers: Breakers) -> str:
    return next(name for name in breakers.names() if name.startswith("tool."))


def fail(breakers: Breakers, name: str, times: int) -> None:
    for _ in range(times):
        breakers.calls.record(name, breakers.calls.admit(name), ok=False)


async def test_nothing_is_open_in_the_beginning(store: Store) -> None:
    breakers = await World(store, "spend: {perHourUsd: 1}").breakers()
    assert "spend.perHourUsd" in breakers.names()
    assert "spend.perDayUsd" not in breakers.names()
    assert {breakers.status(name).state for name in breakers.names()} == {"closed"}
    breakers.admit("conv_1", "a", new=True)


async def test_a_change_is_told_and_kept(store: Store) -> None:
    world = World(store)
    breakers = await world.breakers()
    name = a_tool(breakers)
    fail(breakers, name, 10)
    (notice,) = world.told
    assert (notice.breaker, notice.state) == (name, "open")
    assert notice.key == f"tools.{name.removeprefix('tool.')}.breaker"
    await store.flush()
    again = await world.breakers()
    assert again.status(name) == breakers.status(name)
    assert not again.calls.admit(name).allowed
    world.now += 30
    assert again.calls.admit(name).probe


@pytest.mark.parametrize("kind", ["tool.", "provider.", "escalationRate", "costSpike", "spend."])
async def test_operators_trip_reset_disable_and_enable_each(store: Store, kind: str) -> None:
    world = World(store, "spend: {perHourUsd: 1}")
    breakers = await world.breakers()
    name = next(name for name in breakers.names() if name.startswith(kind))
    tripped = await breakers.operate("trip", name, who="ops", why="by hand")
    assert (tripped.state, tripped.held, tripped.who) == ("open", True, "ops")
    world.now += 1e6
    breakers.refresh()
    restarted = await world.breakers()
    assert restarted.status(name) == tripped
    assert (await restarted.operate("reset", name, who="ops", why="over")).state == "closed"
    assert (await restarted.operate("disable", name, who="ops", why="noise")).disabled
    assert (await world.breakers()).status(name).disabled
    assert not (await restarted.operate("enable", name, who="ops", why="ok")).disabled
    assert [notice.state for notice in world.told] == ["open", "closed", "closed", "closed"]


async def test_an_unknown_name_is_told_with_the_nearest(store: Store) -> None:
    breakers = await World(store).breakers()
    with pytest.raises(UnknownBreaker, match="did you mean 'costSpike'"):
        await breakers.operate("trip", "costSpik", who=None, why="x")


async def test_what_stops_messages_is_refused_with_a_time(store: Store) -> None:
    world = World(store, "spend: {perHourUsd: 1, perCustomerPerHourUsd: 0.5}")
    breakers = await world.breakers()
    held = breakers.hold("a", NANO // 2)
    assert isinstance(held, Hold)
    assert isinstance(breakers.hold("a", 1), CapReached)
    with pytest.raises(Paused) as refused:
        breakers.admit("conv_1", "a", new=False)
    assert refused.value.of_customer
    breakers.admit("conv_2", "b", new=True)
    breakers.settle(held, NANO // 2)
    with pytest.raises(Paused) as refused:
        breakers.admit("conv_1", "a", new=False)
    assert 3600 <= refused.value.retry_after <= 3660
    world.now += refused.value.retry_after
    breakers.admit("conv_1", "a", new=False)


async def test_a_cost_spike_stops_new_conversations_only(store: Store) -> None:
    breakers = await World(store).breakers()
    await breakers.operate("trip", "costSpike", who="ops", why="x")
    breakers.admit("conv_1", "a", new=False)
    with pytest.raises(Paused, match="no new messages") as refused:
        breakers.admit("conv_1", "a", new=True)
    assert (refused.value.breaker, refused.value.of_customer) == ("costSpike", False)
    assert breakers.admitted_share == 0.0


async def test_what_was_spent_is_read_from_the_ledger(store: Store) -> None:
    world = World(store, "spend: {perHourUsd: 1, perCustomerPerDayUsd: 2}")
    made = await new_conversation(store)
    now = datetime.fromtimestamp(NOW, UTC)
    for hours, nano in ((30, NANO), (20, NANO), (0.5, NANO // 2), (0.1, NANO // 4)):
        at = now - timedelta(hours=hours)
        store.record_cost(cost("turn_1", made.id, cost_nano=nano, time=at))
    await store.flush()
    breakers = await world.breakers()
    assert breakers.counts("spend.perHourUsd")["usedNano"] == NANO * 3 // 4
    assert isinstance(breakers.hold("cust_1", NANO // 4), Hold)
    refused = breakers.hold("cust_1", NANO // 4)
    assert isinstance(refused, CapReached)
    assert breakers.counts("costSpike")["hourNano"] == NANO * 3 // 4
    await breakers.operate("reset", "spend.perHourUsd", who="ops", why="granted")
    after = await world.breakers()
    assert after.counts("spend.perHourUsd")["usedNano"] == 0
    reached = after.hold("cust_1", NANO)
    assert isinstance(reached, CapReached)
    assert reached.cap == "perCustomerPerDayUsd"


async def test_a_cost_spike_is_seen_in_the_ledger_of_earlier_processes(store: Store) -> None:
    world, made = World(store), await new_conversation(store)
    now = datetime.fromtimestamp(NOW, UTC)
    for hour in range(1, 9):
        at = now - timedelta(hours=hour, minutes=30)
        store.record_cost(cost("turn_1", made.id, cost_nano=4 * NANO, time=at))
    store.record_cost(cost("turn_1", made.id, cost_nano=9 * NANO, time=now - timedelta(minutes=5)))
    await store.flush()
    breakers = await world.breakers()
    with pytest.raises(Paused) as refused:
        breakers.admit("conv_1", "a", new=True)
    assert refused.value.breaker == "costSpike"
    assert [notice.breaker for notice in world.told] == ["costSpike"]


async def test_a_reload_changes_what_they_go_by_and_nothing_else(store: Store) -> None:
    world = World(store, "spend: {perHourUsd: 1}")
    breakers = await world.breakers()
    held = breakers.hold(None, NANO)
    assert isinstance(held, Hold)
    assert isinstance(breakers.hold(None, NANO), CapReached)
    world.snapshot = snapshot("spend: {perHourUsd: 3}")
    assert isinstance(breakers.hold(None, NANO), Hold)
    assert breakers.counts("spend.perHourUsd") == {"usedNano": 2 * NANO, "capNano": 3 * NANO}
    world.snapshot = snapshot()
    assert isinstance(breakers.hold(None, 100 * NANO), Hold)
    breakers.admit("conv_1", None, new=True)
