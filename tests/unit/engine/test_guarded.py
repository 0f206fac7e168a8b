"""Tools and model servers behind their breakers and caps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from interlock.engine.breakers import Breakers
from interlock.engine.guarded import guard_services
from interlock.engine.steps import STEPS, Services
from interlock.model.base import NANO, JsonObject
from interlock.model.result import ToolResult
from interlock.model.usage import Price, PriceRow, Usage
from interlock.store.store import Store
from interlock.turn.ports import ModelFailure, ModelReply
from tests.unit.engine.world import World

PRICE = Price(((0, PriceRow(*[1_000_000] * 5)),), "test")  # a thousandth of a cent a token
BODY: JsonObject = {"model": "m", "max_tokens": 1000, "messages": []}


def failed(kind: Any, *, wait: float | None = None, billed: bool = False) -> ModelFailure:
    return ModelFailure(kind, "no", 529, wait, billed, None, 1.0)


REPLY = ModelReply([], "end_turn", Usage(input=10, output=90), None, 1.0)


class Provider:
    """Answers as it is told; counts."""

    def __init__(self, answer: Callable[[], ModelReply | ModelFailure]) -> None:
        self.answer = answer
        self.calls = 0

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply | ModelFailure:
        self.calls += 1
        await asyncio.sleep(0)
        return self.answer()


class Tools:
    """Answers as it is told; counts."""

    def __init__(self, answer: Callable[[], ToolResult]) -> None:
        self.answer = answer
        self.calls = 0

    async def call(self, name: str, input: JsonObject, **_: Any) -> ToolResult:
        self.calls += 1
        return self.answer()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open("sqlite:///s.db", project=tmp_path) as store:
        yield store


def names(breakers: Breakers) -> tuple[str, str]:
    """A provider and a tool of the configuration."""
    found = breakers.names()
    return (
        next(name for name in found if name.startswith("provider.")).partition(".")[2],
        next(name for name in found if name.startswith("tool.")).partition(".")[2],
    )


def guarded(breakers: Breakers, *, provider: Provider, tools: Tools | None = None) -> Services:
    name, _ = names(breakers)
    unused = Tools(lambda: ToolResult("success"))
    return guard_services(
        Services({name: provider}, tools or unused),
        breakers,
        customer_id="a",
        price_of=lambda model: PRICE,
    )


UP = Provider(lambda: REPLY)


async def test_an_open_tool_is_not_called_and_its_result_says_so(store: Store) -> None:
    breakers = await World(store).breakers()
    _, tool = names(breakers)
    down = Tools(lambda: ToolResult("error", message="503", retryable=True, attempts=2))
    services = guarded(breakers, provider=UP, tools=down)
    call = {"tool": tool, "input": {}, "timeoutSeconds": 1.0}
    args: JsonObject = {"calls": [call], "session": {}}
    results = [(await STEPS["tool_calls"](services, args))["results"][0] for _ in range(12)]
    assert down.calls == 10
    assert [result.get("breaker") is not None for result in results] == [False] * 9 + [True] * 3
    assert results[9]["breaker"]["detail"] == "open: 10 of 10 calls failed"
    assert results[9]["breaker"]["limit"] == f"tools.{tool}.breaker"
    assert (results[10]["attempts"], results[10]["retryable"]) == (0, False)
    mutation: JsonObject = {"call": call, "key": "k", "session": {}}
    assert (await STEPS["mutation"](services, mutation))["effect"] == "none"


@pytest.mark.parametrize(
    "result",
    [
        ToolResult("success", attempts=1),
        ToolResult("not_found", attempts=1),
        ToolResult("error", message="400", attempts=1),
        ToolResult("error", message="cannot be built", attempts=0),
    ],
)
async def test_a_tool_that_says_no_works(store: Store, result: ToolResult) -> None:
    breakers = await World(store).breakers()
    _, tool = names(breakers)
    services = guarded(breakers, provider=UP, tools=Tools(lambda: result))
    for _ in range(30):
        await services.tools.call(tool, {}, timeout_seconds=1, session={})
    assert breakers.status(f"tool.{tool}").state == "closed"


async def test_a_server_that_asks_to_wait_is_left_alone_by_all(store: Store) -> None:
    world = World(store)
    breakers = await world.breakers()
    name, _ = names(breakers)
    server = Provider(lambda: failed("rate_limit", wait=60.0))
    services = guarded(breakers, provider=server)
    first = await services.providers[name].call(BODY, timeout_seconds=5)
    assert first.breaker is not None
    second = await services.providers[name].call(BODY, timeout_seconds=5)
    assert isinstance(second, ModelFailure)
    assert (second.kind, second.maybe_billed, server.calls) == ("overloaded", False, 1)
    assert second.retry_after_seconds == 60.0
    world.now += 60
    server.answer = lambda: REPLY
    third = await services.providers[name].call(BODY, timeout_seconds=5)
    assert isinstance(third, ModelReply)
    assert breakers.status(f"provider.{name}").state == "closed"


async def test_calls_wait_for_the_probe_and_then_go_on(store: Store) -> None:
    world = World(store)
    breakers = await world.breakers()
    name, _ = names(breakers)
    server = Provider(lambda: failed("overloaded", wait=1.0))
    services = guarded(breakers, provider=server)
    await services.providers[name].call(BODY, timeout_seconds=5)
    world.now += 1
    server.answer = lambda: REPLY
    answers = await asyncio.gather(
        *(services.providers[name].call(BODY, timeout_seconds=30) for _ in range(20))
    )
    assert all(isinstance(answer, ModelReply) for answer in answers)
    assert server.calls == 21


async def test_a_server_that_refuses_a_request_works(store: Store) -> None:
    breakers = await World(store).breakers()
    name, _ = names(breakers)
    services = guarded(breakers, provider=Provider(lambda: failed("rejected")))
    for _ in range(30):
        await services.providers[name].call(BODY, timeout_seconds=5)
    assert breakers.status(f"provider.{name}").state == "closed"


async def test_a_call_that_is_tripped_by_hand_fails_at_once(store: Store) -> None:
    breakers = await World(store).breakers()
    name, _ = names(breakers)
    await breakers.operate("trip", f"provider.{name}", who="ops", why="x")
    answer = await guarded(breakers, provider=UP).providers[name].call(BODY, timeout_seconds=500)
    assert isinstance(answer, ModelFailure)
    assert answer.retry_after_seconds is None


@pytest.mark.parametrize(
    ("answer", "used"),
    [
        (REPLY, 100_000),
        (failed("server"), 0),
        (failed("server", billed=True), 1_016_000),
    ],
    ids=["answered", "not billed", "perhaps billed"],
)
async def test_what_was_held_becomes_what_was_spent(
    store: Store, answer: ModelReply | ModelFailure, used: int
) -> None:
    breakers = await World(store, "spend: {perHourUsd: 1}").breakers()
    name, _ = names(breakers)
    services = guarded(breakers, provider=Provider(lambda: answer))
    await services.providers[name].call(BODY, timeout_seconds=5)
    assert breakers.counts("spend.perHourUsd")["usedNano"] == used


async def test_a_call_that_is_broken_off_counts_in_full_and_frees_its_probe(store: Store) -> None:
    world = World(store, "spend: {perHourUsd: 1}")
    breakers = await world.breakers()
    name, _ = names(breakers)
    server = Provider(lambda: failed("overloaded", wait=1.0))
    services = guarded(breakers, provider=server)
    await services.providers[name].call(BODY, timeout_seconds=5)
    world.now += 1

    def hang() -> ModelReply:
        raise asyncio.CancelledError

    server.answer = hang
    with pytest.raises(asyncio.CancelledError):
        await services.providers[name].call(BODY, timeout_seconds=5)
    assert breakers.counts("spend.perHourUsd")["usedNano"] == 1_016_000
    assert breakers.calls.admit(f"provider.{name}").probe


async def test_concurrent_calls_never_pass_a_cap(store: Store) -> None:
    breakers = await World(store, "spend: {perCustomerPerHourUsd: 0.01}").breakers()
    name, _ = names(breakers)
    server = Provider(lambda: REPLY)
    services = guarded(breakers, provider=server)
    answers = await asyncio.gather(
        *(services.providers[name].call(BODY, timeout_seconds=30) for _ in range(300))
    )
    refused = [answer for answer in answers if isinstance(answer, ModelFailure)]
    assert refused
    assert {answer.kind for answer in refused} == {"paused"}
    assert "spend.perCustomerPerHourUsd" in refused[0].message
    assert server.calls * 100_000 <= NANO // 100


@pytest.mark.parametrize(("seconds", "state"), [(4.9, "closed"), (5.0, "open")])
async def test_only_a_fair_time_out_counts(store: Store, seconds: float, state: str) -> None:
    breakers = await World(store).breakers()
    name, _ = names(breakers)
    services = guarded(breakers, provider=Provider(lambda: failed("timeout")))
    for _ in range(10):
        await services.providers[name].call(BODY, timeout_seconds=seconds)
    assert breakers.status(f"provider.{name}").state == state
