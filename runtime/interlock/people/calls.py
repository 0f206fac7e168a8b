"""Carrying out the exact call that waited, once, with the tool that was meant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from interlock.config.source import Source
from interlock.engine.memory import Effects, carry_out
from interlock.engine.switches import Switches
from interlock.errors import ConfigError
from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.people.errors import InvalidEdit, Unavailable
from interlock.reload.aside import run_aside
from interlock.reload.generation import Generation, build
from interlock.reload.generations import Generations
from interlock.store.people_records import Approval
from interlock.store.store import Store
from interlock.templates import TemplateFault
from interlock.turn.agent import CompiledTool
from interlock.turn.tool_calls import action_key, bind_input, check_input

__all__ = ["Calls"]


class Calls:
    """The calls that waited for a person."""

    def __init__(
        self,
        store: Store,
        generations: Generations,
        *,
        effects: Effects,
        switches: Switches,
        project: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._store = store
        self._generations = generations
        self._effects = effects
        self._switches = switches
        self._project = project
        self._environment = environment

    async def edit(self, approval: Approval, written: JsonObject) -> Approval:
        """The approval with another input. Raises `InvalidEdit` and `Unavailable`."""
        conversation = await self._store.conversation(approval.conversation_id)
        async with self._generation(approval) as generation:
            tool = _tool(generation, approval)
        problem = check_input(tool, written)
        if problem is not None:
            raise InvalidEdit(f"the input is not valid for '{approval.tool}': {problem}")
        try:
            arguments = bind_input(tool, written, conversation.session)
        except TemplateFault as fault:
            raise InvalidEdit(f"'{approval.tool}' cannot be used here: {fault.message}") from fault
        key = approval.action_key
        if tool.spec.idempotency is not None:
            # Another input may be another action, and that one may have been done before.
            key = action_key(tool.spec, arguments, approval.conversation_id, place="")
        return replace(approval, input=written, arguments=arguments, action_key=key)

    def require_on(self, approval: Approval) -> None:
        """Raises `Unavailable` if an operator has switched the tool or the agent off."""
        off = self._switches.of_agent(approval.agent)
        if off["agent"] is not None:
            raise Unavailable(f"the agent '{approval.agent}' is switched off; enable it first")
        if approval.tool in off["tools"]:
            raise Unavailable(f"the tool '{approval.tool}' is switched off; enable it first")

    async def carry_out(self, approval: Approval) -> ToolResult:
        """Makes the call, unless it has a result, and keeps what came of it."""
        if approval.result is not None:
            return ToolResult.from_json(approval.result)
        try:
            self.require_on(approval)
            async with self._generation(approval) as generation:
                result = await self._call(approval, generation)
        except Unavailable as error:
            result = ToolResult.error(f"{error}: nothing was done")
        await self._store.people.keep_result(approval.id, result.to_json())
        return result

    async def _call(self, approval: Approval, generation: Generation) -> ToolResult:
        tool = _tool(generation, approval)
        conversation = await self._store.conversation(approval.conversation_id)
        if approval.attempted_at is None:
            # Committed first: after a crash it is known that the call may have been made.
            await self._store.people.attempt(approval.id, now=datetime.now(UTC))
        elif tool.spec.idempotency is None:
            return ToolResult.error(
                "the service stopped in the middle of the call, which cannot be repeated safely",
                effect="unknown",
            )
        call = {
            "tool": approval.tool,
            "input": approval.arguments,
            "timeoutSeconds": tool.timeout_seconds,
        }
        args = {"call": call, "session": conversation.session}
        made = carry_out(generation.services, self._effects, approval.action_key, args)
        return ToolResult.from_json(await made)

    @asynccontextmanager
    async def _generation(self, approval: Approval) -> AsyncIterator[Generation]:
        """The configuration in which the call was asked for. Raises `Unavailable`."""
        conversation = await self._store.conversation(approval.conversation_id)
        async with self._generations.pin(conversation) as held:
            if held.digest == approval.snapshot:
                yield held.generation
                return
        files = await self._store.snapshot_files(approval.snapshot)
        if files is None:
            raise Unavailable(f"the configuration {approval.snapshot[:12]} is not kept")
        making: Callable[[], Generation] = partial(
            build, Source(files), self._environment, project=self._project
        )
        try:
            generation = await run_aside(making, name="approval")
        except ConfigError as error:
            raise Unavailable(
                f"the configuration {approval.snapshot[:12]} can no longer be used: {error}"
            ) from error
        try:
            yield generation
        finally:
            closing: Awaitable[None] = generation.close()
            await closing


def _tool(generation: Generation, approval: Approval) -> CompiledTool:
    agent = generation.agents.get(approval.agent)
    tool = None if agent is None else agent.tools.get(approval.tool)
    if tool is None:
        raise Unavailable(f"'{approval.agent}' has no tool '{approval.tool}'")
    return tool
