import pytest

from tests.unit.shop.client import Shop


async def test_shipment_tells_tracking_number_stage_and_events_in_order(shared_shop: Shop) -> None:
    shipment = (await shared_shop.get("/orders/ORD-1001/shipment")).body
    assert shipment["tracking_number"] == "1Z999AA10123456784"
    assert shipment["carrier"] == "UPS"
    assert shipment["stage"] == "in_transit"
    assert shipment["eta"] == "2026-11-26"
    times = [event["at"] for event in shipment["events"]]
    assert len(times) == 3
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("order", "status"), [("ORD-1003", "processing"), ("ORD-1020", "cancelled")]
)
async def test_order_that_was_not_sent_has_no_shipment(
    shared_shop: Shop, order: str, status: str
) -> None:
    reply = await shared_shop.get(f"/orders/{order}/shipment")
    assert reply.status == 404
    assert status in reply.body["detail"]


async def test_shipments_of_a_split_order_only_refer_to_each_other(shared_shop: Shop) -> None:
    parent = (await shared_shop.get("/orders/ORD-2000/shipment")).body
    child = (await shared_shop.get("/orders/ORD-2001/shipment")).body
    assert (parent["stage"], parent["children"]) == ("split", ["ORD-2001", "ORD-2002"])
    assert (child["stage"], child["parent"]) == ("see parent order", "ORD-2000")
    assert parent["tracking_number"] is None
    assert child["tracking_number"] is None


async def test_invoice_adds_up_and_shows_what_was_refunded(shared_shop: Shop) -> None:
    invoice = (await shared_shop.get("/orders/ORD-1021/invoice")).body
    assert invoice["number"] == "INV-1021"
    assert invoice["total"] == 131.5 == sum(line["amount"] for line in invoice["lines"])
    assert invoice["refunded"] == 89.0
    assert invoice["bill_to"]["recipient"] == "Chiara Rossi"


@pytest.mark.parametrize(
    ("order", "status"),
    [("ORD-1001", "paid"), ("ORD-1002", "paid"), ("ORD-1003", "unpaid"), ("ORD-1020", "void")],
)
async def test_invoice_status_follows_the_order(shared_shop: Shop, order: str, status: str) -> None:
    assert (await shared_shop.get(f"/orders/{order}/invoice")).body["status"] == status


async def test_split_order_has_one_invoice_for_all_its_children(shared_shop: Shop) -> None:
    invoice = (await shared_shop.get("/orders/ORD-2000/invoice")).body
    assert {line["sku"] for line in invoice["lines"]} == {"SKU-1306", "SKU-1305", "SKU-1302"}
    child = await shared_shop.get("/orders/ORD-2001/invoice")
    assert child.status == 404
    assert "ORD-2000" in child.body["detail"]
