from typing import Any

import pytest

from tests.unit.shop.client import Shop


def make_return(order_id: str, *items: str) -> dict[str, Any]:
    return {"order_id": order_id, "items": list(items), "reason": "does not fit"}


async def test_seeded_return_can_be_looked_up(shared_shop: Shop) -> None:
    found = (await shared_shop.get("/returns/RET-5001")).body
    assert found["order_id"] == "ORD-1021"
    assert found["status"] == "received"
    assert found["items"] == [{"sku": "SKU-1203", "quantity": 1}]
    assert found["value"] == 89.0
    assert (await shared_shop.get("/returns/RET-1")).status == 404


async def test_created_return_can_be_looked_up_and_marks_the_order(shop: Shop) -> None:
    created = await shop.send("POST", "/returns", make_return("ORD-1002", "SKU-1201", "SKU-1202"))
    assert created.status == 201
    assert created.body["id"] == "RET-5002"
    assert created.body["value"] == 83.9
    assert (await shop.get("/returns/RET-5002")).body == created.body
    order = (await shop.get("/orders/ORD-1002")).body
    assert [item["returned"] for item in order["items"]] == [1, 1]
    assert await shop.count("returns") == 1


async def test_pieces_of_one_product_can_be_returned_one_after_the_other(shop: Shop) -> None:
    for _ in range(2):
        reply = await shop.send("POST", "/returns", make_return("ORD-1010", "SKU-1301"))
        assert reply.status == 201
    third = await shop.send("POST", "/returns", make_return("ORD-1010", "SKU-1301"))
    assert third.status == 409
    assert third.body["type"] == "urn:shop:item-already-returned"
    assert await shop.count("returns") == 2


async def test_repeated_sku_means_that_many_pieces(shop: Shop) -> None:
    reply = await shop.send("POST", "/returns", make_return("ORD-1010", "SKU-1301", "SKU-1301"))
    assert reply.body["items"] == [{"sku": "SKU-1301", "quantity": 2}]
    assert reply.body["value"] == 178.0


@pytest.mark.parametrize(
    ("order", "items", "rule"),
    [
        ("ORD-1001", ["SKU-1001"], "order-not-delivered"),
        ("ORD-1003", ["SKU-1303"], "order-not-delivered"),
        ("ORD-1020", ["SKU-1104"], "order-not-delivered"),
        ("ORD-2000", ["SKU-1306"], "order-not-delivered"),
        ("ORD-2001", ["SKU-1306"], "order-not-delivered"),
        ("ORD-1002", ["SKU-1301"], "item-not-in-order"),
        ("ORD-1010", ["SKU-1901"], "item-not-returnable"),
        ("ORD-1010", ["SKU-1301"] * 3, "too-many-items"),
        ("ORD-1021", ["SKU-1203"], "item-already-returned"),
        ("ORD-1021", ["SKU-1204", "SKU-1203"], "item-already-returned"),
    ],
)
async def test_return_against_the_rules_is_refused_without_effect(
    shared_shop: Shop, order: str, items: list[str], rule: str
) -> None:
    reply = await shared_shop.send("POST", "/returns", make_return(order, *items))
    assert reply.status == 409
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["type"] == f"urn:shop:{rule}"
    assert reply.body["status"] == 409
    assert await shared_shop.count("returns") == 0


async def test_return_for_an_unknown_order_is_not_found(shared_shop: Shop) -> None:
    assert (
        await shared_shop.send("POST", "/returns", make_return("ORD-9", "SKU-1201"))
    ).status == 404


@pytest.mark.parametrize(
    "change", [{"items": []}, {"items": "SKU-1201"}, {"reason": " "}, {"quantity": 2}]
)
async def test_malformed_return_is_a_problem_document(
    shared_shop: Shop, change: dict[str, Any]
) -> None:
    reply = await shared_shop.send("POST", "/returns", make_return("ORD-1002", "SKU-1201") | change)
    assert reply.status == 422
    assert reply.body["type"] == "urn:shop:invalid-request"
    assert next(iter(change)) in reply.body["detail"]
