"""The earlier configurations of a service or of a project's own store, in the API's terms."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from interlock.cli.project import read_settings, store_url
from interlock.cli.remote_chat import ServiceFailed
from interlock.cli.service_request import request
from interlock.config.diff import Change
from interlock.config.source import Source
from interlock.model.base import JsonObject
from interlock.reload.history import compare_kept, find_digest, kept_source
from interlock.service.history import activation_view
from interlock.store.store import Store

__all__ = ["KeptConfigs", "RemoteConfigs", "StoredConfigs", "change_of"]

_PAGE = 200


class KeptConfigs(Protocol):
    """Where earlier configurations are looked up. Names are digests, `active` or `previous`."""

    async def activations(self, limit: int) -> JsonObject:
        """`active`, and `activations` newest first, as in `GET /v1/config/history`."""
        ...

    async def source(self, name: str) -> Source:
        """The files of a configuration."""
        ...

    async def diff(self, before: str, after: str) -> tuple[str, str, tuple[Change, ...]]:
        """The digests of two configurations, and what differs."""
        ...


class StoredConfigs:
    """Those in the store of a project, whether or not a service has it open."""

    def __init__(self, project: Path) -> None:
        self._project = project

    async def activations(self, limit: int) -> JsonObject:
        """Raises `StoreError`, `NotAProject` and `ConfigError`."""
        async with await self._open() as store:
            entries = await store.activations(limit=limit)
        views = [activation_view(entry).model_dump(mode="json", by_alias=True) for entry in entries]
        return {"active": entries[0].digest if entries else None, "activations": views}

    async def source(self, name: str) -> Source:
        """Raises the same, `UnknownSnapshot` and `AmbiguousDigest`."""
        async with await self._open() as store:
            return await kept_source(store, await find_digest(store, name))

    async def diff(self, before: str, after: str) -> tuple[str, str, tuple[Change, ...]]:
        """Raises the same, and `UnreadableSnapshot`."""
        old, new = await self.source(before), await self.source(after)
        return old.digest, new.digest, await compare_kept(old, new)

    async def _open(self) -> Store:
        url = store_url(read_settings(self._project), os.environ)
        return await Store.open(url, project=self._project, read_only=True)


class RemoteConfigs:
    """Those of a running service. Every method raises `ServiceFailed`."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url
        self._key = key

    async def activations(self, limit: int) -> JsonObject:
        """Asks for as many pages as it takes."""
        found: list[Any] = []
        params = {"limit": str(min(limit, _PAGE))}
        while True:
            page = await request(self._url, "/v1/config/history", key=self._key, params=params)
            found += page["activations"]
            if page["next"] is None or len(found) >= limit:
                return {"active": page["active"], "activations": found[:limit]}
            params["before"] = page["next"]

    async def source(self, name: str) -> Source:
        """The files, which have the digest that the service says."""
        answer = await request(self._url, f"/v1/config/snapshots/{name}", key=self._key)
        try:
            files = {
                str(path): base64.b64decode(data, validate=True)
                for path, data in answer["files"].items()
            }
            digest = answer["digest"]
        except (AttributeError, KeyError, TypeError, binascii.Error) as error:
            raise ServiceFailed(f"{self._url} did not answer with a configuration") from error
        source = Source(MappingProxyType(files))
        if source.digest != digest:
            raise ServiceFailed(f"the files from {self._url} do not have the digest that it named")
        return source

    async def diff(self, before: str, after: str) -> tuple[str, str, tuple[Change, ...]]:
        """As the service sees it."""
        params = {"from": before, "to": after}
        answer = await request(self._url, "/v1/config/diff", key=self._key, params=params)
        return answer["from"], answer["to"], tuple(change_of(view) for view in answer["changes"])


def change_of(view: JsonObject) -> Change:
    """A change as the API gives it."""
    values = {key: value for key, value in view.items() if key != "restartNeeded"}
    return Change(**values, restart_needed=view["restartNeeded"])
