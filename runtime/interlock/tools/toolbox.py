"""All tools of a generation, ready to be called."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol, Self

import jmespath
from jmespath.exceptions import JMESPathError

from interlock.diagnostics import nearest
from interlock.errors import ToolDefinitionError
from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import Tool
from interlock.tools.failure import fail, fail_unknown
from interlock.tools.http import HttpClient, HttpTool
from interlock.tools.http_request import compile_request
from interlock.tools.loading import FunctionLoader
from interlock.tools.python import PythonTool, Strays
from interlock.tools.shaping import Projection, Shaped, project, shrink
from interlock.tools.threads import Threads

__all__ = ["Toolbox"]

_MOST_THREADS = 16
_CLOSING_SECONDS = 1.0

_log = logging.getLogger(__name__)


class _Kind(Protocol):
    """A way of carrying a tool out."""

    async def call(
        self, input: JsonObject, *, timeout_seconds: float, idempotency_key: str | None
    ) -> ToolResult: ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """A tool that can be called."""

    kind: _Kind
    select: Projection | None
    max_tokens: int
    mutation: bool
    takes_key: bool


class Toolbox:
    """All tools of a generation. Opens connections and threads with the first call."""

    def __init__(
        self,
        tools: Mapping[str, _Ready],
        *,
        client: HttpClient | None,
        loader: FunctionLoader,
        strays: Strays,
    ) -> None:
        self._tools = tools
        self._own_client = client
        self._loader = loader
        self._strays = strays

    @classmethod
    def build(
        cls,
        tools: Iterable[Tool],
        *,
        env: Mapping[str, str],
        files: Mapping[str, bytes],
        client: HttpClient | None = None,
    ) -> Self:
        """Compiles the templates and expressions of all tools and loads their functions.

        Of `env` only the variables that templates name are read; `files` holds the snapshot's
        files by project-relative path. Tools that the runtime itself carries out are left out.
        Whoever hands in a `client` closes it; otherwise the toolbox has one of its own.
        Raises `ToolDefinitionError` naming the tool, the key and the way out.
        """
        shared = HttpClient() if client is None else client
        loader, threads, strays = FunctionLoader(files), Threads(_MOST_THREADS), Strays()
        ready = {}
        try:
            for tool in tools:
                kind: _Kind
                takes_key = tool.idempotency is not None and tool.idempotency.header is not None
                if tool.http is not None:
                    request = compile_request(tool, tool.http, env)
                    kind = HttpTool(
                        tool.name,
                        tool.http,
                        template=request,
                        client=shared,
                        mutation=tool.is_mutation,
                        repeatable=tool.idempotency is not None
                        and tool.idempotency.header is not None,
                    )
                elif tool.python is not None:
                    function = loader.load(tool, tool.python.function)
                    kind = PythonTool(
                        tool.name,
                        function,
                        threads,
                        strays,
                        mutation=tool.is_mutation,
                        refusals=frozenset(tool.python.refusals),
                    )
                    takes_key = function.takes_key
                else:
                    continue
                select, most = _compile_select(tool), tool.result.max_tokens
                ready[tool.name] = _Ready(kind, select, most, tool.is_mutation, takes_key)
        except ToolDefinitionError:
            loader.forget()
            raise
        own = shared if client is None else None
        return cls(ready, client=own, loader=loader, strays=strays)

    async def call(
        self,
        name: str,
        input: JsonObject,
        *,
        timeout_seconds: float,
        session: JsonObject,
        idempotency_key: str | None = None,
    ) -> ToolResult:
        """The result of one call; whatever happens is one, and nothing is raised but a cancel.

        `input` is checked already and holds the bound values, so `session`, whose call this is,
        never reaches a tool by itself. `timeout_seconds` bounds the call with all its attempts.
        A mutation is sent at most once, with `idempotency_key` where the tool has a place for it.
        """
        started = perf_counter()
        result = await self._call(name, input, timeout_seconds, idempotency_key)
        shown = self._shape(name, result)
        latency_ms = (perf_counter() - started) * 1000
        return replace(result, data=shown.data, cut=shown.cut, latency_ms=latency_ms)

    def takes_key(self, name: str) -> bool:
        """Whether an idempotency key reaches whoever carries the tool out."""
        return self._tools[name].takes_key

    async def close(self) -> None:
        """Closes the connections and forgets the functions; no call may be under way."""
        await self._strays.close(_CLOSING_SECONDS)
        if self._own_client is not None:
            await self._own_client.close()
        self.forget()

    def forget(self) -> None:
        """Forgets the functions, for a toolbox that is not used after all."""
        self._loader.forget()

    async def _call(
        self, name: str, input: JsonObject, timeout_seconds: float, idempotency_key: str | None
    ) -> ToolResult:
        tool = self._tools.get(name)
        if tool is None:
            close = nearest(name, self._tools)
            hint = f"; did you mean '{close}'?" if close else ""
            return fail(f"there is no tool '{name}' that can be called{hint}")
        try:
            return await tool.kind.call(
                input, timeout_seconds=timeout_seconds, idempotency_key=idempotency_key
            )
        except Exception as error:
            # A defect of ours or of a library: the log hears all, the model that there is no
            # answer, and about a mutation that it may have happened.
            _log.exception("tool '%s' could not be carried out", name)
            message = f"the tool could not be carried out: {type(error).__name__}"
            result = fail_unknown(message, mutation=tool.mutation, retryable=False)
            return replace(result, attempts=1)

    def _shape(self, name: str, result: ToolResult) -> Shaped:
        tool = self._tools.get(name)
        if tool is None or result.data is None:
            return Shaped(result.data, result.cut)
        selected = project(result.data, tool.select if result.status == "success" else None)
        shown = shrink(selected.data, tool.max_tokens)
        return Shaped(shown.data, (*result.cut, *selected.cut, *shown.cut))


def _compile_select(tool: Tool) -> Projection | None:
    if tool.result.select is None:
        return None
    try:
        return jmespath.compile(tool.result.select)
    except JMESPathError as error:
        problem = f"not a JMESPath expression: {str(error).splitlines()[0]}"
        raise ToolDefinitionError(tool.name, "result.select", problem) from error
