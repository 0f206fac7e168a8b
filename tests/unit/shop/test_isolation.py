from typing import Any

import pytest

from tests.unit.shop.client import Shop

ADDRESS = {"street": "1 New Road", "city": "Salem", "postal_code": "97301"}
RETURN = {"order_id": "ORD-1002", "items": ["SKU-1201"], "reason": "x"}
REFUND = {"order_id": "ORD-1002", "amount": 5, "reason": "x"}
NOTE = {"customer_id": "CUST-1001", "note": "x"}

REQUESTS = [
    pytest.param("GET", "/orders/ORD-1001", None, id="order"),
    pytest.param("GET", "/orders/ORD-2001", None, id="child"),
    pytest.param("GET", "/orders/ORD-1001/shipment", None, id="shipment"),
    pytest.param("GET", "/orders/ORD-2000/shipment", None, id="split-shipment"),
    pytest.param("GET", "/orders/ORD-1001/invoice", None, id="invoice"),
    pytest.param("GET", "/customers/CUST-1001", None, id="customer"),
    pytest.param("POST", "/orders/ORD-1003/cancel", {"reason": "x"}, id="cancel"),
    pytest.param("PUT", "/orders/ORD-1003/address", ADDRESS, id="address"),
    pytest.param("POST", "/returns", RETURN, id="return"),
    pytest.param("POST", "/refunds", REFUND, id="refund"),
    pytest.param("POST", "/crm/notes", NOTE, id="note"),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_another_customers_things_do_not_exist(
    shared_shop: Shop, method: str, path: str, body: Any
) -> None:
    foreign = await shared_shop.send(method, path, body, customer="CUST-1002")
    assert foreign.status == 404
    assert "Ada" not in str(foreign.body)
    assert set((await shared_shop.get("/stats")).body.values()) == {0}


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_a_customers_own_things_do(shop: Shop, method: str, path: str, body: Any) -> None:
    assert (await shop.send(method, path, body, customer="CUST-1001")).status in (200, 201)


async def test_refusal_for_a_foreign_order_is_that_for_an_unknown_one(shared_shop: Shop) -> None:
    foreign = await shared_shop.get("/orders/ORD-1001", customer="CUST-1002")
    unknown = await shared_shop.get("/orders/ORD-8888", customer="CUST-1002")
    assert foreign.body["detail"].replace("ORD-1001", "ORD-8888") == unknown.body["detail"]
    assert foreign.body["type"] == unknown.body["type"]


async def test_returns_and_refunds_belong_to_the_orders_customer(shared_shop: Shop) -> None:
    for path in ("/returns/RET-5001", "/refunds/REF-7001"):
        assert (await shared_shop.get(path, customer="CUST-1003")).status == 200
        assert (await shared_shop.get(path, customer="CUST-1001")).status == 404
        assert (await shared_shop.get(path + "?customer_id=CUST-1001")).status == 404


async def test_identity_is_taken_from_query_and_body_as_well(shop: Shop) -> None:
    assert (await shop.get("/orders/ORD-1001?customer_id=CUST-1001")).status == 200
    assert (await shop.get("/orders/ORD-1001?customer_id=CUST-1002")).status == 404
    mine = await shop.send("POST", "/refunds", REFUND | {"customer_id": "CUST-1001"})
    foreign = await shop.send("POST", "/refunds", REFUND | {"customer_id": "CUST-1002"})
    assert (mine.status, foreign.status) == (201, 404)
    assert await shop.count("refunds") == 1


async def test_searches_show_a_customer_only_what_is_theirs(shared_shop: Shop) -> None:
    customers = await shared_shop.get("/customers?query=example.com", customer="CUST-1002")
    assert [found["id"] for found in customers.body["customers"]] == ["CUST-1002"]
    orders = await shared_shop.get("/orders", customer="CUST-1002")
    assert {found["id"] for found in orders.body["orders"]} == {"ORD-1010", "ORD-1011"}
    nobody = await shared_shop.get("/orders", customer="CUST-9")
    assert nobody.body["orders"] == []


async def test_a_name_cannot_override_the_header(shared_shop: Shop) -> None:
    listed = await shared_shop.get("/orders?customer_id=CUST-1001", customer="CUST-1002")
    body = REFUND | {"customer_id": "CUST-1001"}
    refunded = await shared_shop.send("POST", "/refunds", body, customer="CUST-1002")
    assert (listed.status, refunded.status) == (404, 404)
    assert await shared_shop.count("refunds") == 0


async def test_empty_identity_is_refused_and_does_not_mean_the_back_office(
    shared_shop: Shop,
) -> None:
    assert (await shared_shop.get("/orders/ORD-1001", customer="")).status == 422
    assert (await shared_shop.get("/orders?customer_id=")).status == 422
    empty = await shared_shop.send("POST", "/refunds", REFUND | {"customer_id": ""})
    assert empty.status == 422
    assert await shared_shop.count("refunds") == 0
