"""The API keys of the store, as they are within half a second, and when they were used."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from time import monotonic

from interlock.errors import StoreError
from interlock.service.keys import key_of
from interlock.store.records import StoredKey
from interlock.store.store import Store

__all__ = ["KeyRing"]

_FRESH_SECONDS = 0.5
"""How old what was read may be, so also how soon a key works, or does not any more."""
_STALE_SECONDS = 30.0
"""How old it may be while the store cannot be read; a revocation could not be written either."""
_USE_INTERVAL = timedelta(minutes=5)
"""How exactly the last use of a key is kept."""

_LOG = logging.getLogger(__name__)


class KeyRing:
    """Reads the keys when they are asked for, at most twice a second, whatever the load.

    Any number of processes may make and revoke keys meanwhile.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: tuple[StoredKey, ...] = ()
        self._read_at: float | None = None
        self._failing = False
        self._noted: dict[str, datetime] = {}
        self._lock = asyncio.Lock()

    @property
    def has_keys(self) -> bool:
        """Whether a key was ever made, as far as was read.

        A key that was revoked or has expired counts: to lose the last key must not open the
        service to everyone.
        """
        return bool(self._keys)

    async def refresh(self) -> None:
        """Makes sure that what is known is fresh, as far as the store can be read.

        Raises `StoreError` if nothing is known.
        """
        if self._age() <= _FRESH_SECONDS:
            return
        async with self._lock:
            if self._age() <= _FRESH_SECONDS:
                return
            began = monotonic()
            try:
                self._keys = await self._store.api_keys()
            except StoreError as error:
                if self._read_at is None:
                    raise
                if not self._failing:
                    _LOG.warning("the API keys of the store cannot be read: %s", error)
                self._failing = True
                return
            self._read_at, self._failing = began, False

    def find(self, key: str) -> StoredKey | None:
        """The active key that `key` is, by what was last read; notes that it was used.

        Raises `StoreError` if that is too long ago to tell.
        """
        if self._age() > _STALE_SECONDS:
            raise StoreError("the API keys of the store cannot be read")
        now = datetime.now(UTC)
        found = key_of(key, self._keys)
        if found is None or not found.is_active(now):
            return None
        noted = self._noted.get(found.id, found.last_used_at)
        if noted is None or now - noted >= _USE_INTERVAL:
            self._noted[found.id] = now
            self._store.record_key_use(found.id, now)
        return found

    def _age(self) -> float:
        return float("inf") if self._read_at is None else monotonic() - self._read_at
