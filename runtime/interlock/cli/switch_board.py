"""Where emergency switches are set and lifted: a running service, or the store of a project."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from interlock.cli.project import read_settings, store_url
from interlock.cli.service_request import request
from interlock.config.source import read_tree
from interlock.engine.switches import Switches, require_declared
from interlock.errors import StoreError
from interlock.model.agent import Agent
from interlock.model.base import JsonObject
from interlock.reload.history import load_kept
from interlock.service.views import switch_views
from interlock.store.records import Switch, SwitchKind
from interlock.store.store import Store

__all__ = ["RemoteBoard", "StoredBoard", "SwitchBoard"]


class SwitchBoard(Protocol):
    """Emergency switches, in the API's terms."""

    async def active(self) -> list[JsonObject]:
        """All that is switched off, oldest first."""
        ...

    async def disable(
        self, kind: SwitchKind, name: str, *, agent: str | None, why: str
    ) -> JsonObject:
        """Switches an agent or a tool off."""
        ...

    async def enable(self, kind: SwitchKind, name: str, *, agent: str | None) -> None:
        """Switches it on again."""
        ...


class RemoteBoard:
    """The switches of a running service. Every method raises `ServiceFailed`."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url
        self._key = key

    async def active(self) -> list[JsonObject]:
        """As the service gives them."""
        answer = await request(self._url, "/v1/switches", key=self._key)
        return list(answer["switches"])

    async def disable(
        self, kind: SwitchKind, name: str, *, agent: str | None, why: str
    ) -> JsonObject:
        """At once, also for turns that are running."""
        body = {"why": why} if agent is None else {"why": why, "agent": agent}
        answer = await request(self._url, _path(kind, name), key=self._key, method="PUT", body=body)
        return dict(answer)

    async def enable(self, kind: SwitchKind, name: str, *, agent: str | None) -> None:
        """From the next step of any turn on."""
        params = None if agent is None else {"agent": agent}
        await request(self._url, _path(kind, name), key=self._key, method="DELETE", params=params)


class StoredBoard:
    """The switches in a project's store, which the service heeds when it starts.

    They can be set and lifted only while no service has the store open. Every method raises
    `StoreError`, and `ConfigError` if interlock.yaml is not valid.
    """

    def __init__(self, project: Path) -> None:
        self._project = project

    async def active(self) -> list[JsonObject]:
        """Also while a service runs."""
        url = store_url(read_settings(self._project), os.environ)
        async with await Store.open(url, project=self._project, read_only=True) as store:
            return _shown(await store.switches())

    async def disable(
        self, kind: SwitchKind, name: str, *, agent: str | None, why: str
    ) -> JsonObject:
        """Raises `NotDeclared` if the project's files have no such thing."""
        await self._require(kind, name, agent=agent)
        async with self._open() as switches:
            switch = await switches.disable(kind, name, agent=agent, who=_user(), why=why)
        return _shown([switch])[0]

    async def enable(self, kind: SwitchKind, name: str, *, agent: str | None) -> None:
        """The same, but what is off can be lifted whether or not it is declared."""
        async with self._open() as switches:
            lifted = await switches.enable(kind, name, agent=agent, who=_user())
        if lifted is None:
            await self._require(kind, name, agent=agent)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Switches]:
        settings = read_settings(self._project)
        url = store_url(settings, os.environ)
        try:
            store = await Store.open(url, project=self._project)
        except StoreError as error:
            host, port = settings.server.host, settings.server.port
            raise StoreError(
                f"{error} (a service that is running is told with --url http://{host}:{port})"
            ) from error
        async with store:
            yield Switches(store)

    async def _require(self, kind: SwitchKind, name: str, *, agent: str | None) -> None:
        loaded = load_kept(await asyncio.to_thread(read_tree, self._project))
        agents: dict[str, tuple[str, ...]] = {}
        tools: list[str] = []
        for each, placed in loaded.documents.items():
            folder, _, declared = each.partition(".")
            if isinstance(placed.model, Agent):
                agents[declared] = placed.model.tools
            elif folder == "tools":
                tools.append(declared)
        require_declared(kind, name, agent=agent, agents=agents, tools=tools)


def _path(kind: SwitchKind, name: str) -> str:
    return f"/v1/switches/{kind}s/{quote(name, safe='')}"


def _shown(switches: Iterable[Switch]) -> list[JsonObject]:
    return [view.model_dump(mode="json", by_alias=True) for view in switch_views(switches)]


def _user() -> str | None:
    """Who uses the machine, as far as it knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
