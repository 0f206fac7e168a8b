"""Plugins that hang, raise, are slow or answer nonsense: what it costs the others, and who knows.

Nothing here is measured: a call that must not be waited for is one that never ends.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from interlock.hooks.dispatch import Caller, Implementation, PluginCallError
from interlock.hooks.guards import HookGuard
from interlock.hooks.outlet import Outlet
from interlock.model.base import Document
from interlock.turn.guard import Deny, GuardrailInput, NoJudge, Redact

DATA = GuardrailInput("output", "hello")
NEVER = 0.02
"""Seconds that are given to what never ends."""
ENOUGH = 60.0


@pytest_asyncio.fixture
async def gate() -> AsyncIterator[threading.Event]:
    """Opens at the end, so that no thread outlives its test."""
    gate = threading.Event()
    yield gate
    gate.set()


def caller(seconds: float = ENOUGH, *, stuck: int = 3) -> Caller:
    return Caller("pii", timeout_seconds=seconds, max_stuck=stuck)


def guard(function: Callable[..., Any], by: Caller, on_error: Any = "deny") -> HookGuard:
    implementation = Implementation.of("guard_output", function)
    return HookGuard(by, implementation, settings=Document(), agent="support", on_error=on_error)


async def decided(function: Callable[..., Any], by: Caller, on_error: Any = "deny") -> Any:
    return await guard(function, by, on_error).check(DATA, NoJudge())


@pytest.mark.parametrize("wanted", [None, Deny("no"), Redact("hi")])
async def test_a_decision_is_passed_on_whether_it_is_made_in_the_loop_or_in_a_thread(
    wanted: Any,
) -> None:
    threads = []

    async def in_the_loop(data: GuardrailInput) -> Any:
        return wanted if data is DATA else "wrong"

    def in_a_thread(data: GuardrailInput) -> Any:
        threads.append(threading.current_thread())
        return wanted

    by = caller()
    assert await decided(in_the_loop, by) == wanted
    assert await decided(in_a_thread, by) == wanted
    assert threading.main_thread() not in threads
    assert (by.state.calls, by.state.failures) == (2, 0)


async def test_only_what_is_asked_for_is_handed_in() -> None:
    def settings_and_agent(settings: Document, ctx: Any) -> Deny:
        return Deny(f"{type(settings).__name__} {ctx.agent}")

    def nothing() -> Deny:
        return Deny("nothing")

    assert await decided(settings_and_agent, caller()) == Deny("Document support")
    assert await decided(nothing, caller()) == Deny("nothing")


def raises() -> None:
    raise ValueError("broken")


async def raises_later() -> None:
    raise SystemExit(3)


async def cancels_itself() -> None:
    raise asyncio.CancelledError


def gives_a_text() -> str:
    return "deny"


@pytest.mark.parametrize("function", [raises, raises_later, cancels_itself, gives_a_text])
async def test_a_guard_that_fails_denies_unless_it_may_fail(
    function: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    by = caller()
    denied = await decided(function, by)
    assert denied == Deny("the check of the plugin 'pii' could not be made", rule="plugin_failed")
    assert await decided(function, by, "allow") is None
    assert by.state.failures == 2
    assert "the plugin 'pii' failed in guard_output: " in caplog.text


async def test_a_hanging_thread_is_given_up_and_holds_nobody_else_up(
    gate: threading.Event,
) -> None:
    slow, other = caller(NEVER), caller()
    assert isinstance(await decided(gate.wait, slow), Deny)
    assert slow.state.stuck == 1
    assert not slow.state.open
    assert await decided(lambda: None, other) is None
    assert await decided(lambda: None, slow) is None


async def test_a_coroutine_that_refuses_to_be_cancelled_is_not_waited_for() -> None:
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    by = caller(NEVER, stuck=1)
    assert isinstance(await decided(stubborn, by), Deny)
    assert isinstance(await decided(lambda: None, by), Deny)
    assert by.state.open
    released.set()
    await by.close()
    assert not by.state.open
    assert by.state.stuck == 0


async def test_a_plugin_with_too_many_stuck_calls_is_not_called_any_more(
    gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    called = 0

    def counts() -> None:
        nonlocal called
        called += 1

    by = caller(NEVER, stuck=2)
    for _ in range(2):
        assert isinstance(await decided(gate.wait, by), Deny)
    assert by.state.open
    assert isinstance(await decided(counts, by), Deny)
    assert await decided(counts, by, "allow") is None
    assert not called
    assert "2 of its calls have not ended" in caplog.text


async def test_that_a_turn_is_cancelled_is_not_swallowed() -> None:
    begun = asyncio.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.Event().wait()

    by = caller()
    turn = asyncio.create_task(decided(waits, by))
    await begun.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    await by.close()
    assert by.state.stuck == 0


async def test_events_arrive_one_at_a_time_and_in_order() -> None:
    told: list[int] = []

    async def slow(number: int) -> None:
        for _ in range(3 - number % 3):
            await asyncio.sleep(0)
        told.append(number)

    outlet = Outlet(caller(), most=100)
    for number in range(20):
        outlet.offer("on_event", Implementation.of("on_event", slow).bind(number=number))
    assert told == []
    await outlet.close()
    assert told == list(range(20))


async def test_what_does_not_fit_into_the_queue_is_dropped_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[int] = []
    by = caller()
    outlet = Outlet(by, most=2)
    for number in range(5):
        outlet.offer("on_event", lambda number=number: told.append(number))
    assert by.state.dropped == 3
    await outlet.close()
    assert told == [0, 1]
    assert caplog.text.count("is too slow") == 1


async def test_a_sink_that_raises_is_told_of_the_next_event_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[int] = []

    def write(number: int) -> None:
        if number < 10:
            raise OSError("disk full")
        told.append(number)

    by = caller()
    outlet = Outlet(by, most=100)
    for number in range(12):
        outlet.offer("write", Implementation.of("write", write).bind(number=number))
    await outlet.close()
    assert told == [10, 11]
    assert by.state.dropped == by.state.failures == 10
    assert sum(record.levelno == logging.WARNING for record in caplog.records) == 3


async def test_a_sink_that_hangs_ends_up_not_being_called(gate: threading.Event) -> None:
    by = caller(NEVER, stuck=2)
    outlet = Outlet(by, most=100)
    for _ in range(10):
        outlet.offer("write", gate.wait)
    await outlet.close()
    assert by.state.open
    assert by.state.dropped == 10
    assert by.state.stuck == 2


async def test_an_error_says_which_plugin_and_which_hook() -> None:
    with pytest.raises(PluginCallError) as caught:
        await caller().call("on_event", raises)
    assert str(caught.value) == "the plugin 'pii' failed in on_event: ValueError: broken"
    assert isinstance(caught.value.__cause__, ValueError)
