"""Activations and their snapshots are kept and found again."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.errors import StoreError
from interlock.store.records import HistoryEntry
from interlock.store.store import Store
from tests.unit.store.samples import TIME

A, B = "a" * 64, "a" * 60 + "bbbb"


async def activate(store: Store, digest: str, **changes: Any) -> HistoryEntry:
    values: dict[str, Any] = {
        "files": {"interlock.yaml": digest.encode()},
        "previous": None,
        "at": TIME,
        "trigger": "watch",
        "who": None,
        "why": None,
    }
    return await store.record_activation(digest=digest, **values | changes)


async def test_an_activation_reads_back_with_its_files(store: Store) -> None:
    entry = await activate(store, A, previous=B, trigger="rollback", who="ops", why="it loops")
    assert await store.activations() == (entry,)
    assert (entry.previous, entry.at, entry.trigger) == (B, TIME, "rollback")
    assert (entry.who, entry.why) == ("ops", "it loops")
    assert await store.snapshot_files(A) == {"interlock.yaml": A.encode()}


async def test_activations_are_listed_newest_first_and_in_pages(store: Store) -> None:
    made = [await activate(store, (A, B)[number % 2]) for number in range(5)]
    newest_first = made[::-1]
    assert list(await store.activations()) == newest_first
    page = await store.activations(limit=2)
    assert list(page) == newest_first[:2]
    assert list(await store.activations(limit=9, before=page[-1].id)) == newest_first[2:]


async def test_the_files_of_a_digest_are_kept_once(store: Store) -> None:
    await activate(store, A)
    await activate(store, A, files={"other": b""})
    assert await store.snapshot_files(A) == {"interlock.yaml": A.encode()}
    assert len(await store.activations()) == 2


async def test_snapshots_are_found_by_the_beginning_of_their_digest(store: Store) -> None:
    await activate(store, B)
    await activate(store, A)
    assert await store.snapshot_digests("a" * 8) == (A, B)
    assert await store.snapshot_digests("a" * 60 + "b") == (B,)
    assert await store.snapshot_digests("aaaab") == ()
    assert await store.snapshot_digests("%") == ()
    assert await store.snapshot_digests("a", limit=1) == (A,)


async def test_an_activation_that_cannot_be_kept_is_an_error(store: Store) -> None:
    await store.close()
    with pytest.raises(StoreError, match="the activation of"):
        await activate(store, A)
