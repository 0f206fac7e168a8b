"""Calling hooks while turns run: in bounds, apart from each other, and without a way to stop us."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

from interlock.errors import InterlockError
from interlock.tools.threads import AllThreadsStuck, Threads

__all__ = ["Caller", "Failure", "Implementation", "PluginCallError", "PluginState"]

_LOG = logging.getLogger(__name__)
_THREADS_BESIDE_STUCK = 1
_STRAY_SECONDS = 1.0
_LOGGED, _LOGGED_EACH = 3, 100
"""The first failures of a plugin are logged, and then only some: there may be one an event."""

Failure = Literal["raised", "timeout", "stuck", "result"]


class PluginCallError(InterlockError):
    """A plugin gave no usable answer."""

    code = "plugin_failed"

    def __init__(self, plugin: str, hook: str, failure: Failure, problem: str) -> None:
        self.plugin = plugin
        self.hook = hook
        self.failure = failure
        super().__init__(f"the plugin '{plugin}' failed in {hook}: {problem}")


@dataclass(frozen=True, slots=True)
class PluginState:
    """How a plugin has fared since its generation was made ready."""

    calls: int
    failures: int
    """Calls that raised, took too long, or were not made as the plugin is stuck."""
    stuck: int
    """Calls that were given up and have not ended."""
    open: bool
    """Whether it is no longer called, as too many calls are stuck."""
    dropped: int
    """Trace events that it has not been told of."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """A plugin's implementation of a hook."""

    hook: str
    function: Callable[..., Any]
    wanted: frozenset[str]
    """The arguments that it asks for."""

    @classmethod
    def of(cls, hook: str, function: Callable[..., Any]) -> Self:
        """The implementation of `hook` by this function."""
        return cls(hook, function, frozenset(inspect.signature(function).parameters))

    def bind(self, **offered: Any) -> partial[Any]:
        """The call of it, with what it asks for of what is offered."""
        wanted = {name: value for name, value in offered.items() if name in self.wanted}
        return partial(self.function, **wanted)


class Caller:
    """Calls one plugin's functions, each within a time, the synchronous ones in its own threads.

    A call that does not end is given up, and counted as stuck until it does. At `max_stuck` of
    them the plugin is not called any more, until they end or the configuration is loaded anew.
    """

    def __init__(self, plugin: str, *, timeout_seconds: float, max_stuck: int) -> None:
        self.plugin = plugin
        self.timeout_seconds = timeout_seconds
        """How long one call may take."""
        self._max_stuck = max_stuck
        self._threads = Threads(max_stuck + _THREADS_BESIDE_STUCK)
        self._strays: set[asyncio.Task[Any]] = set()
        self._calls = 0
        self._failures = 0
        self.dropped = 0
        """Trace events that did not fit into the plugin's queue, or could not be handed over."""

    @property
    def stuck(self) -> int:
        """Calls that were given up and have not ended."""
        return self._threads.stuck + len(self._strays)

    @property
    def state(self) -> PluginState:
        """How the plugin has fared so far."""
        stuck = self.stuck
        return PluginState(
            self._calls, self._failures, stuck, stuck >= self._max_stuck, self.dropped
        )

    async def call(self, hook: str, function: Callable[[], Any]) -> Any:
        """What the function gives: an async one in the event loop, any other in a thread.

        Raises `PluginCallError`, whatever the function does.
        """
        self._calls += 1
        try:
            return await self._call(hook, function)
        except PluginCallError as error:
            self.fail(error)
            raise

    def fail(self, error: PluginCallError) -> None:
        """Counts a failure, and logs it if it is not one of many."""
        self._failures += 1
        if self._failures <= _LOGGED or self._failures % _LOGGED_EACH == 0:
            cause = error.__cause__ if error.failure == "raised" else None
            _LOG.warning("%s (failure %d)", error, self._failures, exc_info=cause)

    async def close(self) -> None:
        """Gives what was given up a last chance to end."""
        if self._strays:
            await asyncio.wait(self._strays, timeout=_STRAY_SECONDS)

    async def _call(self, hook: str, function: Callable[[], Any]) -> Any:
        if self.stuck >= self._max_stuck:
            problem = f"{self.stuck} of its calls have not ended; reload when it is corrected"
            raise PluginCallError(self.plugin, hook, "stuck", problem)
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.timeout_seconds
        if inspect.iscoroutinefunction(function):
            return await self._await(hook, function(), ends)
        value = await self._in_thread(hook, function, ends)
        # A function that is not declared async may give a coroutine all the same.
        return await self._await(hook, value, ends) if inspect.isawaitable(value) else value

    async def _in_thread(self, hook: str, function: Callable[[], Any], ends: float) -> Any:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(ends):
                future = await self._threads.start(partial(_outcome, function))
        except (AllThreadsStuck, TimeoutError) as error:
            problem = f"none of its threads was free within {self.timeout_seconds:g} s"
            raise PluginCallError(self.plugin, hook, "timeout", problem) from error
        try:
            await asyncio.wait((future,), timeout=max(0.0, ends - loop.time()))
        finally:
            self._threads.give_up(future)
        if not future.done():
            raise self._late(hook)
        return self._read(hook, future.result())

    async def _await(self, hook: str, awaitable: Any, ends: float) -> Any:
        # Not `asyncio.timeout`, which would wait for a coroutine that does not let itself be
        # cancelled, for as long as that likes.
        task = asyncio.ensure_future(_end(awaitable))
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait((task,), timeout=max(0.0, ends - loop.time()))
        finally:
            if not task.done():
                task.cancel()
                self._strays.add(task)
                task.add_done_callback(self._strays.discard)
        if not task.done():
            raise self._late(hook)
        if task.cancelled():
            raise PluginCallError(self.plugin, hook, "raised", "it cancelled itself")
        return self._read(hook, task.result())

    def _read(self, hook: str, outcome: tuple[Any, BaseException | None]) -> Any:
        value, raised = outcome
        if raised is not None:
            problem = f"{type(raised).__name__}: {raised}"
            raise PluginCallError(self.plugin, hook, "raised", problem) from raised
        return value

    def _late(self, hook: str) -> PluginCallError:
        problem = f"it did not answer within {self.timeout_seconds:g} s"
        return PluginCallError(self.plugin, hook, "timeout", problem)


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return function(), None
    except BaseException as error:
        # A plugin may raise anything, and in a thread nobody else would hear about it.
        return None, error


async def _end(awaitable: Any) -> tuple[Any, BaseException | None]:
    try:
        return await awaitable, None
    except (Exception, SystemExit) as error:
        # A plugin may raise anything; the caller is told as one kind of error.
        return None, error
