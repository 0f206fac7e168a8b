"""Configurations that were active before are found again and compared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from interlock.config.source import Source
from interlock.reload.activation import Activation
from interlock.reload.history import (
    ACTIVE,
    PREVIOUS,
    AmbiguousDigest,
    StoreHistory,
    UnknownSnapshot,
    UnreadableSnapshot,
    compare_kept,
    find_digest,
    kept_source,
    load_kept,
)
from interlock.store.store import Store
from tests.unit.config.project import base_files

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
A, B, C = "a" * 64, "a" * 20 + "b" * 44, "c" * 64


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open("sqlite:///s.db", project=tmp_path) as store:
        yield store


async def activate(store: Store, digest: str, previous: str | None = None) -> None:
    files = {"interlock.yaml": digest.encode()}
    record = Activation(digest, previous, NOW, "watch", "ops", "why not", files)
    await StoreHistory(store).activated(record)


async def test_an_activation_is_recorded_as_it_was(store: Store) -> None:
    await activate(store, A, B)
    (entry,) = await store.activations()
    assert (entry.digest, entry.previous, entry.at, entry.trigger) == (A, B, NOW, "watch")
    assert (entry.who, entry.why) == ("ops", "why not")
    assert (await kept_source(store, A)).files == {"interlock.yaml": A.encode()}


async def test_a_digest_is_found_by_its_first_eight_digits(store: Store) -> None:
    await activate(store, B)
    assert await find_digest(store, B[:8]) == B
    await activate(store, A)
    with pytest.raises(AmbiguousDigest, match=r"begin with aaaaaaaa, such as aaaaaaaa"):
        await find_digest(store, A[:8])
    assert await find_digest(store, A[:21]) == A
    assert await find_digest(store, A) == A


@pytest.mark.parametrize(
    "name", ["", "aaaaaaa", "A" * 8, "a" * 65, "../../etc", "zzzzzzzz", "%" * 8]
)
async def test_what_is_no_digest_is_not_looked_up(store: Store, name: str) -> None:
    await activate(store, A)
    with pytest.raises(UnknownSnapshot, match="is not a digest"):
        await find_digest(store, name)


async def test_what_is_not_kept_is_unknown(store: Store) -> None:
    with pytest.raises(UnknownSnapshot, match="begins with cccccccc"):
        await find_digest(store, C[:8])
    with pytest.raises(UnknownSnapshot, match="no configuration is kept"):
        await kept_source(store, C)


async def test_previous_is_the_latest_other_one(store: Store) -> None:
    for digest in (A, B, C, C):
        await activate(store, digest)
    assert await find_digest(store, PREVIOUS, active=C) == B
    # Going back twice goes forth again, as with `cd -`.
    await activate(store, B, previous=C)
    assert await find_digest(store, PREVIOUS, active=B) == C


async def test_previous_is_found_however_often_the_active_one_was_started(store: Store) -> None:
    await activate(store, A)
    for _ in range(120):
        await activate(store, C)
    assert await find_digest(store, PREVIOUS, active=C) == A
    assert await find_digest(store, PREVIOUS) == A
    assert await find_digest(store, ACTIVE) == C
    assert await find_digest(store, ACTIVE, active=B) == B


async def test_nothing_was_ever_active(store: Store) -> None:
    for name in (ACTIVE, PREVIOUS):
        with pytest.raises(UnknownSnapshot, match="ever active here"):
            await find_digest(store, name)


async def test_there_may_be_no_previous_one(store: Store) -> None:
    for _ in range(2):
        with pytest.raises(UnknownSnapshot, match="no other configuration"):
            await find_digest(store, PREVIOUS, active=A)
        await activate(store, A)


def with_line(line: bytes) -> Source:
    files = base_files()
    return Source({**files, "agents.d/support.yaml": files["agents.d/support.yaml"] + line})


async def test_two_configurations_are_compared_in_meaning() -> None:
    before, after = with_line(b"# a remark\n"), with_line(b"limits: {maxTokens: 60000}\n")
    (change,) = await compare_kept(before, after)
    assert (change.subject, change.path) == ("agent support", "limits.maxTokens")
    assert (change.before, change.after, change.widening) == ("50000", "60000", True)
    assert await compare_kept(before, with_line(b"")) == ()


async def test_what_is_missing_on_this_machine_is_nothing_wrong_with_an_old_one() -> None:
    settings = base_files()["interlock.yaml"].decode()
    needy = settings.replace("API_KEY, default: none", "NOBODY_HAS_SET_THIS")
    needy = needy.replace("claude-sonnet-5-5", "nobody-knows-this-model")
    source = Source({**base_files(), "interlock.yaml": needy.encode()})
    assert load_kept(source).snapshot is not None


async def test_what_can_no_longer_be_read_is_told() -> None:
    strange = with_line(b"colour: red\n")
    with pytest.raises(
        UnreadableSnapshot, match=f"{strange.digest[:12]} can no longer be"
    ) as raised:
        await compare_kept(with_line(b""), strange)
    assert [found.code for found in raised.value.found] == ["ILK-C002"]
    assert raised.value.source is strange
