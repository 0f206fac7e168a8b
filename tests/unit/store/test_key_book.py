"""API keys are made and revoked in a store that a service may be using."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from interlock.errors import StoreError
from interlock.store.key_book import KeyBook, KeyNameTaken, UnknownKey, open_key_book
from interlock.store.records import StoredKey
from interlock.store.sqlite import take_lock
from interlock.store.store import Store
from tests.unit.store.samples import TIME

URL = "sqlite:///s.db"


def make(book: KeyBook, name: str = "web", *, days: int | None = None) -> StoredKey:
    ends = None if days is None else TIME + timedelta(days=days)
    return book.create(
        name, role="chat", sha256="a" * 64, now=TIME, created_by="ada", expires_at=ends
    )


async def test_a_key_reads_back_and_a_running_store_sees_it(tmp_path: Path) -> None:
    async with await Store.open(URL, project=tmp_path) as store:
        with open_key_book(URL, project=tmp_path) as book:
            made = make(book, days=1)
            assert await store.api_keys() == book.entries() == (made,)
            ended = book.revoke("web", now=TIME)
        assert await store.api_keys() == (ended,)
        store.record_key_use(made.id, TIME)
        await store.flush()
        [used] = await store.api_keys()
    assert (made.is_active(TIME), ended.is_active(TIME)) == (True, False)
    assert (used.revoked_at, used.last_used_at) == (TIME, TIME)


def test_a_name_is_taken_until_its_key_is_revoked_or_has_expired(tmp_path: Path) -> None:
    with open_key_book(URL, project=tmp_path) as book:
        make(book)
        with pytest.raises(KeyNameTaken, match="'web' already"):
            make(book)
        book.revoke("web", now=TIME)
        make(book, days=0)
        last = make(book)
        assert [key.revoked_at for key in book.entries()] == [TIME, TIME, None]
        assert book.entries()[-1] == last
        with pytest.raises(UnknownKey):
            book.revoke("app", now=TIME)


def test_an_expired_key_is_not_active_from_that_moment_on(tmp_path: Path) -> None:
    with open_key_book(URL, project=tmp_path) as book:
        key = make(book, days=1)
    assert key.is_active(TIME + timedelta(days=1, microseconds=-1))
    assert not key.is_active(TIME + timedelta(days=1))


async def test_tables_are_not_changed_under_a_service(tmp_path: Path) -> None:
    (tmp_path / "s.db").touch()
    with (
        take_lock(tmp_path / "s.db"),
        pytest.raises(StoreError, match="in use by another process"),
        open_key_book(URL, project=tmp_path),
    ):
        raise AssertionError("must not be open")
    with open_key_book(URL, project=tmp_path) as book:
        assert book.entries() == ()
    # Nothing is kept locked.
    async with await Store.open(URL, project=tmp_path) as store:
        assert await store.api_keys() == ()


async def test_a_conversation_knows_the_key_that_opened_it(tmp_path: Path) -> None:
    async with await Store.open(URL, project=tmp_path) as store:
        mine = await store.create_conversation(
            agent="a", customer_id=None, session={}, api_key="web"
        )
        claimed = await store.create_conversation(
            agent="a", customer_id="C-1", session={}, api_key="web"
        )
        other = await store.create_conversation(agent="a", customer_id=None, session={})
        assert (await store.conversation(mine.id)).api_key == "web"
        assert (await store.conversation_facts(other.id)).api_key is None
        found = await store.conversations(api_key="web")
        assert {each.id for each in found} == {mine.id, claimed.id}
        assert [each.id for each in await store.conversations(api_key="web", unclaimed=True)] == [
            mine.id
        ]
