from typing import Any

import pytest

from tests.unit.shop.client import Shop


def make_refund(order_id: str, amount: object) -> dict[str, Any]:
    return {"order_id": order_id, "amount": amount, "reason": "arrived broken"}


async def test_seeded_refund_can_be_looked_up(shared_shop: Shop) -> None:
    found = (await shared_shop.get("/refunds/REF-7001")).body
    assert (found["order_id"], found["amount"], found["status"]) == ("ORD-1021", 89.0, "paid")
    assert (await shared_shop.get("/refunds/REF-1")).status == 404


async def test_issued_refund_can_be_looked_up_and_is_on_the_invoice(shop: Shop) -> None:
    issued = await shop.send("POST", "/refunds", make_refund("ORD-1002", 59.9))
    assert issued.status == 201
    assert issued.body["id"] == "REF-7002"
    assert (await shop.get("/refunds/REF-7002")).body == issued.body
    assert (await shop.get("/orders/ORD-1002/invoice")).body["refunded"] == 59.9
    assert await shop.count("refunds") == 1


async def test_refunds_may_use_up_the_rest_to_the_cent_and_no_more(shop: Shop) -> None:
    assert (await shop.send("POST", "/refunds", make_refund("ORD-1021", 42.49))).status == 201
    too_much = await shop.send("POST", "/refunds", make_refund("ORD-1021", 0.02))
    assert too_much.status == 409
    assert too_much.body["type"] == "urn:shop:refund-too-large"
    assert "0.01" in too_much.body["detail"]
    assert (await shop.send("POST", "/refunds", make_refund("ORD-1021", "0.01"))).status == 201
    assert await shop.count("refunds") == 2


@pytest.mark.parametrize("order", ["ORD-1003", "ORD-1020", "ORD-2000", "ORD-2002"])
async def test_order_that_was_not_paid_cannot_be_refunded(shared_shop: Shop, order: str) -> None:
    reply = await shared_shop.send("POST", "/refunds", make_refund(order, 1))
    assert reply.status == 409
    assert reply.body["type"] == "urn:shop:order-not-paid"


async def test_refund_for_an_unknown_order_is_not_found(shared_shop: Shop) -> None:
    assert (await shared_shop.send("POST", "/refunds", make_refund("ORD-9", 1))).status == 404


@pytest.mark.parametrize("amount", [0, -5, 1.005, "ten", "NaN", True, None, 10**12])
async def test_amount_that_is_no_sum_of_money_is_malformed(
    shared_shop: Shop, amount: object
) -> None:
    reply = await shared_shop.send("POST", "/refunds", make_refund("ORD-1002", amount))
    assert reply.status == 422
    assert await shared_shop.count("refunds") == 0
