"""What operators have switched off: in memory for every turn, in the store for later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from interlock.diagnostics import nearest
from interlock.errors import InterlockError
from interlock.model.base import JsonObject
from interlock.store.records import Switch, SwitchKind
from interlock.store.store import Store

__all__ = ["NotDeclared", "Switches", "require_declared"]

_MOST_NAMES = 20

_LOG = logging.getLogger(__name__)


class NotDeclared(InterlockError):
    """There is nothing of that name to be switched off."""

    code = "not_declared"


class Switches:
    """The switches of one process. Turns ask before everything that they do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._active: tuple[Switch, ...] = ()
        self._loaded = False
        self._lock = asyncio.Lock()

    @property
    def active(self) -> tuple[Switch, ...]:
        """All that is off, oldest first."""
        return self._active

    def of_agent(self, name: str) -> JsonObject:
        """What concerns the turns of an agent, as `Ctx.switches` gives it."""
        agent: JsonObject | None = None
        tools: JsonObject = {}
        for switch in self._active:
            if switch.kind == "agent":
                if switch.name == name:
                    agent = _why(switch)
            elif switch.agent in (None, name):
                tools.setdefault(switch.name, _why(switch))
        return {"agent": agent, "tools": tools}

    async def load(self) -> None:
        """Reads from the store what is off; nothing happens the second time.

        Raises `StoreError`.
        """
        if self._loaded:
            return
        async with self._lock:
            if not self._loaded:
                self._active = await self._store.switches()
                self._loaded = True

    async def disable(
        self, kind: SwitchKind, name: str, *, agent: str | None = None, who: str | None, why: str
    ) -> Switch:
        """Switches an agent or a tool off, at once. What is off already stays as it was.

        `agent` is the only one for which a tool is to be off. Raises `StoreError` if it cannot
        be kept; it is off all the same, until this process ends.
        """
        await self.load()
        async with self._lock:
            wanted = Switch(kind, name, agent, datetime.now(UTC), who, why)
            switch = self._find(wanted.target) or wanted
            if switch is wanted:
                self._active = (*self._active, switch)
                _LOG.info("%s is switched off by %s: %s", _named(switch), who or "somebody", why)
            await self._store.set_switch(switch)
            return switch

    async def enable(
        self, kind: SwitchKind, name: str, *, agent: str | None = None, who: str | None
    ) -> Switch | None:
        """Switches it on again, once that is kept. What was lifted; None if nothing was off.

        Raises `StoreError`; then it is still off.
        """
        await self.load()
        async with self._lock:
            switch = self._find((kind, name, agent))
            if switch is not None:
                await self._store.lift_switch(kind, name, agent=agent, who=who)
                self._active = tuple(each for each in self._active if each is not switch)
                _LOG.info("%s is switched on again by %s", _named(switch), who or "somebody")
            return switch

    def _find(self, target: tuple[SwitchKind, str, str | None]) -> Switch | None:
        return next((each for each in self._active if each.target == target), None)


def require_declared(
    kind: SwitchKind,
    name: str,
    *,
    agent: str | None,
    agents: Mapping[str, Collection[str]],
    tools: Collection[str],
) -> None:
    """Raises `NotDeclared` with the nearest name if a switch would switch nothing off.

    `agents` has the tools of each agent by its name, `tools` has all tools.
    """
    if kind == "agent" or agent is not None:
        _require("agent", name if kind == "agent" else agent or "", agents)
    if kind == "tool":
        _require("tool", name, tools)
        if agent is not None and name not in agents[agent]:
            raise NotDeclared(
                f"the agent '{agent}' does not have the tool '{name}'; its tools are: "
                f"{', '.join(sorted(agents[agent]))}"
            )


def _require(kind: SwitchKind, name: str, declared: Collection[str]) -> None:
    if name in declared:
        return
    close = nearest(name, declared)
    names = sorted(declared)
    shown = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    way = f"did you mean '{close}'?" if close else f"declared are: {shown or 'none'}"
    raise NotDeclared(f"there is no {kind} '{name}'; {way}")


def _named(switch: Switch) -> str:
    of = f" of the agent '{switch.agent}'" if switch.agent is not None else ""
    return f"the {switch.kind} '{switch.name}'{of}"


def _why(switch: Switch) -> JsonObject:
    return {"since": switch.since.isoformat(), "who": switch.who, "why": switch.why}
