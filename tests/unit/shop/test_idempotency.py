import asyncio
import sqlite3
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from examples.shop.bodies import CancelBody
from examples.shop.database import Database
from examples.shop.documents import Document
from examples.shop.idempotency import Mutations
from examples.shop.problems import refused
from tests.unit.shop.client import Shop, run_shop

RETURN = {"order_id": "ORD-1002", "items": ["SKU-1201"], "reason": "x"}
REFUND = {"order_id": "ORD-1002", "amount": 5, "reason": "x"}
ADDRESS = {"street": "1 New Road", "city": "Salem", "postal_code": "97301"}

MUTATIONS = [
    ("POST", "/returns", RETURN, "returns"),
    ("POST", "/refunds", REFUND, "refunds"),
    ("POST", "/crm/notes", {"customer_id": "CUST-1001", "note": "x"}, "notes"),
    ("POST", "/orders/ORD-1003/cancel", {"reason": "x"}, "cancellations"),
    ("PUT", "/orders/ORD-1003/address", ADDRESS, "address_changes"),
]


@pytest.mark.parametrize(("method", "path", "body", "kind"), MUTATIONS)
async def test_repeated_request_gets_the_first_answer_and_no_second_effect(
    shop: Shop, method: str, path: str, body: dict[str, Any], kind: str
) -> None:
    first = await shop.send(method, path, body, key="k-1")
    again = await shop.send(method, path, body, key="k-1")
    assert first.status in (200, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await shop.count(kind) == 1


@pytest.mark.parametrize(("method", "path", "body", "kind"), MUTATIONS)
async def test_concurrent_duplicates_have_one_effect(
    shop: Shop, method: str, path: str, body: dict[str, Any], kind: str
) -> None:
    replies = await asyncio.gather(*(shop.send(method, path, body, key="k-1") for _ in range(20)))
    assert len({reply.status for reply in replies}) == 1
    assert all(reply.body == replies[0].body for reply in replies)
    replayed = [reply for reply in replies if "idempotency-replayed" in reply.headers]
    assert len(replayed) == 19
    assert await shop.count(kind) == 1


async def test_duplicates_through_two_services_on_one_file_have_one_effect(
    tmp_path: Path,
) -> None:
    file = tmp_path / "shop.sqlite"
    async with run_shop(file) as one, run_shop(file) as two:
        replies = await asyncio.gather(
            *(shop.send("POST", "/refunds", REFUND, key="k-1") for shop in (one, two) * 8)
        )
        assert {reply.body["id"] for reply in replies} == {"REF-7002"}
        assert await one.count("refunds") == 1
        assert await two.count("refunds") == 1


async def test_concurrent_different_keys_cannot_pass_a_limit_together(shop: Shop) -> None:
    body = REFUND | {"amount": 50}
    replies = await asyncio.gather(
        *(shop.send("POST", "/refunds", body, key=f"k-{n}") for n in range(10))
    )
    assert sorted(reply.status for reply in replies) == [201] + [409] * 9
    assert await shop.count("refunds") == 1


@pytest.mark.parametrize(("method", "path", "body", "kind"), MUTATIONS[1:3])
async def test_without_a_key_or_with_another_every_request_counts(
    shop: Shop, method: str, path: str, body: dict[str, Any], kind: str
) -> None:
    for key in (None, None, "k-1", "k-2"):
        assert (await shop.send(method, path, body, key=key)).status == 201
    assert await shop.count(kind) == 4


async def test_key_used_for_another_request_is_refused(shop: Shop) -> None:
    await shop.send("POST", "/refunds", REFUND, key="k-1")
    for path, body, customer in (
        ("/refunds", REFUND | {"amount": 6}, None),
        ("/returns", RETURN, None),
        ("/refunds", REFUND, "CUST-1001"),
    ):
        reply = await shop.send("POST", path, body, key="k-1", customer=customer)
        assert reply.status == 422
        assert reply.body["type"] == "urn:shop:idempotency-key-reused"
        assert reply.headers["content-type"] == "application/problem+json"
    assert await shop.count("refunds") == 1
    assert await shop.count("returns") == 0


async def test_same_values_written_differently_are_the_same_request(shop: Shop) -> None:
    first = await shop.send("POST", "/refunds", REFUND | {"amount": 5}, key="k-1")
    turned = {"reason": "x", "amount": "5.00", "order_id": "ORD-1002"}
    again = await shop.send("POST", "/refunds", turned, key="k-1")
    assert again.body == first.body
    assert await shop.count("refunds") == 1


async def test_refusal_is_repeated_too(shop: Shop) -> None:
    body = RETURN | {"order_id": "ORD-1001", "items": ["SKU-1001"]}
    first = await shop.send("POST", "/returns", body, key="k-1")
    again = await shop.send("POST", "/returns", body, key="k-1")
    assert first.status == 409
    assert (again.status, again.body) == (409, first.body)
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["idempotency-replayed"] == "true"


async def test_malformed_request_does_not_use_up_its_key(shop: Shop) -> None:
    assert (await shop.send("POST", "/refunds", {"amount": 5}, key="k-1")).status == 422
    assert (await shop.send("POST", "/refunds", REFUND, key="k-1")).status == 201


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_key_of_impossible_length_is_refused(shared_shop: Shop, key: str) -> None:
    assert (await shared_shop.send("POST", "/refunds", REFUND, key=key)).status == 422
    assert await shared_shop.count("refunds") == 0


async def test_key_outlives_the_service(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite"
    async with run_shop(file) as shop:
        first = await shop.send("POST", "/refunds", REFUND, key="k-1")
    async with run_shop(file) as shop:
        again = await shop.send("POST", "/refunds", REFUND, key="k-1")
        assert again.body == first.body
        assert again.headers["idempotency-replayed"] == "true"
        assert await shop.count("refunds") == 1


class _Crash(Exception):
    pass


def _count(connection: sqlite3.Connection, table: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    store = Database(tmp_path / "shop.sqlite")
    await store.prepare()
    yield store
    await store.close()


async def test_effect_that_crashes_leaves_neither_effect_nor_key(database: Database) -> None:
    def cancel_and_crash(connection: sqlite3.Connection, /) -> Document:
        connection.execute("INSERT INTO cancellations VALUES ('ORD-1003', 'x', 'now', 0)")
        raise _Crash

    mutations = Mutations(database=database, target="POST /x", key="k-1")
    with pytest.raises(_Crash):
        await mutations.perform(cancel_and_crash, caller=None, body=CancelBody(reason="x"))
    assert await database.read(_count, "cancellations") == 1  # the seeded one
    assert await database.read(_count, "idempotency_keys") == 0


async def test_effect_that_is_refused_halfway_leaves_only_the_key(database: Database) -> None:
    def cancel_and_refuse(connection: sqlite3.Connection, /) -> Document:
        connection.execute("INSERT INTO cancellations VALUES ('ORD-1003', 'x', 'now', 0)")
        raise refused("changed-mind", "No.")

    mutations = Mutations(database=database, target="POST /x", key="k-1")
    reply = await mutations.perform(cancel_and_refuse, caller=None, body=CancelBody(reason="x"))
    assert reply.status_code == HTTPStatus.CONFLICT
    assert await database.read(_count, "cancellations") == 1  # the seeded one
    assert await database.read(_count, "idempotency_keys") == 1
