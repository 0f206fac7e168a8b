"""Carrying a tool out by a Python function, whatever that function does."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, get_args

from pydantic_core import from_json, to_json

from interlock.model.base import Json, JsonObject
from interlock.model.result import Effect, ToolResult, ToolStatus
from interlock.tools.errors import NotFound, ToolError
from interlock.tools.failure import fail, fail_unknown, shorten, timed_out
from interlock.tools.loading import PluginFunction
from interlock.tools.threads import AllThreadsStuck, Threads

__all__ = ["PythonTool", "Strays"]

_log = logging.getLogger(__name__)


class Strays:
    """Coroutines that were given up: kept until they have ended, which they may refuse to do."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[ToolResult]] = set()

    def give_up(self, task: asyncio.Task[ToolResult]) -> None:
        """Cancels the task without waiting for it."""
        task.cancel()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, timeout_seconds: float) -> None:
        """Gives what is left a last chance to clean up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_seconds)


@dataclass(frozen=True, slots=True)
class PythonTool:
    """One tool that is carried out by a Python function."""

    name: str
    function: PluginFunction
    threads: Threads
    strays: Strays
    mutation: bool
    refusals: frozenset[str] = frozenset()
    """The names of exceptions that say: nothing was changed."""

    async def call(
        self, input: JsonObject, *, timeout_seconds: float, idempotency_key: str | None
    ) -> ToolResult:
        """The result, at the latest after `timeout_seconds`.

        An async function runs in the loop, any other in a thread. One that does not end in time
        is given up: a coroutine is cancelled, a thread goes on without anyone waiting.
        """
        arguments = input
        if self.function.takes_key:
            arguments = {**input, "idempotency_key": idempotency_key}
        ends = monotonic() + timeout_seconds
        outcome: ToolResult | Awaitable[Any] | None
        if self.function.is_async:
            outcome = self._begin(arguments)
        else:
            try:
                async with asyncio.timeout(timeout_seconds):
                    future = await self.threads.start(lambda: self._begin(arguments))
            except AllThreadsStuck:
                return fail("every thread for tools is stuck in a call that does not end")
            except TimeoutError:
                return fail(f"no thread was free within {timeout_seconds:g} s", retryable=True)
            outcome = await self._wait_for_thread(future, ends)
        # A function that is not declared async may give a coroutine all the same.
        if outcome is not None and not isinstance(outcome, ToolResult):
            outcome = await self._wait_for_task(asyncio.create_task(self._end(outcome)), ends)
        if outcome is None:
            outcome = timed_out(timeout_seconds, mutation=self.mutation)
        return outcome if outcome.attempts == 1 else replace(outcome, attempts=1)

    async def _wait_for_thread(
        self, future: asyncio.Future[ToolResult | Awaitable[Any]], ends: float
    ) -> ToolResult | Awaitable[Any] | None:
        """What the function gave; None if time ran out."""
        try:
            await asyncio.wait((future,), timeout=max(0.0, ends - monotonic()))
        finally:
            self.threads.give_up(future)
        return future.result() if future.done() else None

    async def _wait_for_task(
        self, task: asyncio.Task[ToolResult], ends: float
    ) -> ToolResult | None:
        """What the coroutine gave; None if time ran out."""
        # Not `asyncio.timeout`: it would wait for a coroutine that does not let itself be
        # cancelled, for as long as that likes.
        try:
            await asyncio.wait((task,), timeout=max(0.0, ends - monotonic()))
        finally:
            if not task.done():
                self.strays.give_up(task)
        if not task.done():
            return None
        if task.cancelled():
            return fail_unknown("the tool gave up", mutation=self.mutation, retryable=True)
        return task.result()

    def _begin(self, arguments: JsonObject) -> ToolResult | Awaitable[Any]:
        """Calls the function; what it gives is a result or has to be awaited. Never raises."""
        try:
            value = self.function.call(**arguments)
            return value if inspect.isawaitable(value) else self._read(value)
        except BaseException as error:
            # A plugin may raise anything, and in a thread nobody else would hear about it.
            return self._explain(error)

    async def _end(self, awaitable: Awaitable[Any]) -> ToolResult:
        try:
            return self._read(await awaitable)
        except (Exception, SystemExit) as error:
            # A plugin may raise anything; the model reads the type, the log has the rest.
            return self._explain(error)

    def _read(self, value: Any) -> ToolResult:
        """The result of a function that returned."""
        if isinstance(value, ToolResult):
            return self._adopt(value)
        try:
            data: Json = from_json(to_json(value), allow_inf_nan=False)
        except ValueError as error:
            message = f"the tool returned something that is not JSON: {error}"
            return fail_unknown(message, mutation=self.mutation, retryable=False)
        effect: Effect = "applied" if self.mutation else "none"
        return ToolResult("success", data, effect=effect, attempts=1)

    def _adopt(self, result: ToolResult) -> ToolResult:
        """A result that the function made itself, as far as it can be true."""
        if result.status not in get_args(ToolStatus):
            raise ValueError(f"'{result.status}' is no status of a ToolResult")
        shown = self._read(result.data)
        if shown.status == "error":
            return shown
        effect = result.effect if self.mutation else "none"
        if self.mutation and result.status == "success" and effect == "none":
            effect = "applied"
        return replace(
            result,
            data=shown.data,
            message=shorten(result.message) if result.message else None,
            retryable=result.retryable and effect != "unknown",
            effect=effect,
        )

    def _explain(self, error: BaseException) -> ToolResult:
        """The result of a function that raised; never with a traceback, which the log gets."""
        if isinstance(error, NotFound):
            return ToolResult("not_found", message=shorten(error.message))
        if isinstance(error, ToolError):
            effect = error.effect or "unknown"
            if not self.mutation:
                effect = "none"
            return fail(error.message, retryable=error.retryable, effect=effect)
        if self.refusals & {kind.__name__ for kind in type(error).__mro__}:
            return fail(f"{error}" or type(error).__name__)
        _log.warning("tool '%s' raised %s", self.name, type(error).__name__, exc_info=error)
        trace = error.__traceback__
        if isinstance(error, TypeError) and trace is not None and trace.tb_next is None:
            return fail(f"the tool's function cannot take this input: {error}")
        message = f"the tool failed: {type(error).__name__}: {error}"
        return fail_unknown(message, mutation=self.mutation, retryable=False)
