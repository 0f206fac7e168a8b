import pytest

from tests.unit.shop.client import Shop


async def test_order_tells_status_items_total_and_dates(shared_shop: Shop) -> None:
    order = (await shared_shop.get("/orders/ORD-1001")).body
    assert order["status"] == "shipped"
    assert order["eta"] == "2026-11-26"
    assert order["customer_id"] == "CUST-1001"
    assert [(item["sku"], item["quantity"]) for item in order["items"]] == [
        ("SKU-1001", 1),
        ("SKU-1101", 2),
    ]
    assert order["total"] == 149 + 2 * 12.5
    assert order["address"]["city"] == "Portland"


async def test_unknown_order_is_a_problem_document(shared_shop: Shop) -> None:
    reply = await shared_shop.get("/orders/ORD-9999")
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body == {
        "type": "urn:shop:order-not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no order ORD-9999.",
    }


async def test_split_order_and_its_children_refer_to_each_other(shared_shop: Shop) -> None:
    parent = (await shared_shop.get("/orders/ORD-2000")).body
    assert parent["status"] == "split"
    assert parent["children"] == ["ORD-2001", "ORD-2002"]
    children = [(await shared_shop.get(f"/orders/{child}")).body for child in parent["children"]]
    assert [child["status"] for child in children] == ["see parent order"] * 2
    assert [child["parent"] for child in children] == ["ORD-2000"] * 2
    assert parent["total"] == sum(child["total"] for child in children)


async def test_list_holds_only_the_customers_orders_latest_first(shared_shop: Shop) -> None:
    reply = await shared_shop.get("/orders", customer="CUST-1001")
    assert [order["id"] for order in reply.body["orders"]] == [
        "ORD-1003",
        "ORD-1001",
        "ORD-2002",
        "ORD-2001",
        "ORD-2000",
        "ORD-1002",
    ]


async def test_list_can_be_narrowed_to_a_status_and_a_number(shared_shop: Shop) -> None:
    delivered = await shared_shop.get("/orders?status=delivered&customer_id=CUST-1002")
    assert [order["id"] for order in delivered.body["orders"]] == ["ORD-1010"]
    limited = await shared_shop.get("/orders?limit=2")
    assert len(limited.body["orders"]) == 2
    assert (await shared_shop.get("/orders?status=lost")).status == 422


async def test_listed_totals_are_those_of_the_orders(shared_shop: Shop) -> None:
    listed = (await shared_shop.get("/orders?limit=100")).body["orders"]
    assert len(listed) == 11
    for order in listed:
        assert order["total"] == (await shared_shop.get(f"/orders/{order['id']}")).body["total"]


async def test_processing_order_is_cancelled_once(shop: Shop) -> None:
    reply = await shop.send("POST", "/orders/ORD-1003/cancel", {"reason": "too late"})
    assert reply.status == 200
    assert reply.body["status"] == "cancelled"
    assert reply.body["cancellation_reason"] == "too late"
    assert (await shop.get("/orders/ORD-1003")).body == reply.body
    again = await shop.send("POST", "/orders/ORD-1003/cancel", {"reason": "too late"})
    assert again.status == 409
    assert again.body["type"] == "urn:shop:order-not-processing"
    assert await shop.count("cancellations") == 1


@pytest.mark.parametrize("order", ["ORD-1001", "ORD-1002", "ORD-1020", "ORD-2000", "ORD-2001"])
async def test_order_that_is_not_processing_cannot_be_changed(
    shared_shop: Shop, order: str
) -> None:
    address = {"street": "1 New Road", "city": "Salem", "postal_code": "97301"}
    cancelled = await shared_shop.send("POST", f"/orders/{order}/cancel", {"reason": "no"})
    moved = await shared_shop.send("PUT", f"/orders/{order}/address", address)
    assert (cancelled.status, moved.status) == (409, 409)
    assert await shared_shop.count("cancellations") == 0
    assert await shared_shop.count("address_changes") == 0


async def test_new_address_is_that_of_the_order_alone(shop: Shop) -> None:
    address = {"street": "1 New Road", "city": "Salem", "region": "OR", "postal_code": "97301"}
    reply = await shop.send("PUT", "/orders/ORD-1003/address", address)
    assert reply.status == 200
    expected = {"recipient": "Ada Brooks", "country": "US", **address}
    assert reply.body["address"] == expected
    assert (await shop.get("/orders/ORD-1003")).body["address"] == expected
    assert (await shop.get("/orders/ORD-1001")).body["address"]["city"] == "Portland"
    assert (await shop.get("/customers/CUST-1001")).body["address"]["city"] == "Portland"
    assert await shop.count("address_changes") == 1


async def test_incomplete_address_is_refused_with_the_missing_field(shared_shop: Shop) -> None:
    reply = await shared_shop.send("PUT", "/orders/ORD-1003/address", {"street": "1 New Road"})
    assert reply.status == 422
    assert "body.city" in reply.body["detail"]
    assert reply.headers["content-type"] == "application/problem+json"
