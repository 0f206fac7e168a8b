"""Connections that outlive a generation: those whose settings have not changed are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar, cast

__all__ = ["Clients", "Lease"]


class _Client(Protocol):
    async def close(self) -> None: ...


C = TypeVar("C", bound=_Client)


class Clients:
    """The clients of one process, by the settings that they were made with."""

    def __init__(self) -> None:
        self._clients: dict[Hashable, _Client] = {}
        self._holders: dict[Hashable, int] = {}
        self._unused: list[_Client] = []
        # A generation is built in a thread while another one is closed in the event loop.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._clients)

    def lease(self) -> Lease:
        """What one generation holds of them; nothing yet."""
        return Lease(self)

    async def close_unused(self) -> None:
        """Closes the clients that nobody holds any more."""
        with self._lock:
            unused, self._unused = self._unused, []
        for client in unused:
            await client.close()

    def _hold(self, key: Hashable, make: Callable[[], C]) -> C:
        with self._lock:
            if key not in self._clients:
                self._clients[key] = make()
            self._holders[key] = self._holders.get(key, 0) + 1
            # A key says what was made with it.
            return cast(C, self._clients[key])

    def _give_back(self, key: Hashable) -> None:
        with self._lock:
            self._holders[key] -= 1
            if not self._holders[key]:
                del self._holders[key]
                self._unused.append(self._clients.pop(key))


class Lease:
    """The clients that one generation holds."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._keys: list[Hashable] = []

    def hold(self, key: Hashable, make: Callable[[], C]) -> C:
        """The client for `key`; made if nobody holds one."""
        client = self._clients._hold(key, make)
        self._keys.append(key)
        return client

    def give_back(self) -> None:
        """Holds nothing any more. What nobody else holds is closed by `close`."""
        keys, self._keys = self._keys, []
        for key in keys:
            self._clients._give_back(key)

    async def close(self) -> None:
        """Holds nothing any more, and closes what nobody else holds."""
        self.give_back()
        await self._clients.close_unused()
