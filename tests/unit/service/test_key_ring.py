"""The keys of the store as the service knows them, also while the store cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from interlock.errors import StoreError
from interlock.service import key_ring
from interlock.service.key_ring import KeyRing
from interlock.service.keys import new_key
from interlock.store.records import StoredKey
from tests.unit.service.fakes import NOW, client_of, make_runtime

KEY, DIGEST = new_key()
STORED = StoredKey("key_1", "web", "chat", DIGEST, NOW, "ada", None, None, None)


class Keys:
    """A store of keys that counts how often it is read, and fails when told to."""

    def __init__(self, *keys: StoredKey) -> None:
        self.keys = keys
        self.reads = 0
        self.failing = False
        self.used: list[str] = []

    async def api_keys(self) -> tuple[StoredKey, ...]:
        self.reads += 1
        if self.failing:
            raise StoreError("it is gone")
        return self.keys

    def record_key_use(self, key_id: str, at: datetime) -> None:
        self.used.append(key_id)


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(key_ring, "monotonic", lambda: clock.now)
    return clock


async def test_the_store_is_read_at_most_twice_a_second_and_at_least_when_asked(
    clock: Clock,
) -> None:
    store = Keys(STORED)
    ring = KeyRing(store)
    for _ in range(20):
        await ring.refresh()
    assert store.reads == 1
    clock.now += 0.6
    store.keys = ()
    assert ring.find(KEY) == STORED
    await ring.refresh()
    assert ring.find(KEY) is None
    assert store.reads == 2


async def test_a_key_that_is_revoked_or_has_expired_is_none_but_keeps_the_service_closed(
    clock: Clock,
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for ended in (replace(STORED, revoked_at=past), replace(STORED, expires_at=past)):
        ring = KeyRing(Keys(ended))
        await ring.refresh()
        assert ring.find(KEY) is None
        assert ring.has_keys


async def test_while_the_store_cannot_be_read_keys_hold_for_a_while(clock: Clock) -> None:
    store = Keys(STORED)
    ring = KeyRing(store)
    await ring.refresh()
    store.failing = True
    clock.now += 29
    await ring.refresh()
    assert ring.find(KEY) == STORED
    clock.now += 2
    await ring.refresh()
    assert ring.has_keys
    with pytest.raises(StoreError):
        ring.find(KEY)


async def test_with_nothing_known_nobody_is_let_in() -> None:
    store = Keys()
    store.failing = True
    with pytest.raises(StoreError):
        await KeyRing(store).refresh()


async def test_the_use_of_a_key_is_noted_now_and_then(clock: Clock) -> None:
    lately = datetime.now(UTC) - timedelta(minutes=1)
    store = Keys(STORED)
    ring = KeyRing(store)
    await ring.refresh()
    for _ in range(5):
        ring.find(KEY)
    assert store.used == ["key_1"]
    other = Keys(replace(STORED, last_used_at=lately))
    ring = KeyRing(other)
    await ring.refresh()
    ring.find(KEY)
    assert other.used == []


async def test_keys_of_the_file_work_whatever_the_store_does_with_its_own() -> None:
    declared, digest = new_key()
    runtime = make_runtime(keys=[digest])
    runtime.store.kept_keys = [STORED]
    async with client_of(runtime) as client:
        for key, status in ((declared, 200), (KEY, 403), (new_key()[0], 401)):
            answer = await client.get("/v1/config", headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == status
