"""Shipments: where an order's parcel is."""

import sqlite3

from fastapi import APIRouter

from examples.shop.documents import Order, Shipment, ShipmentEvent
from examples.shop.identity import Caller
from examples.shop.problems import not_found
from examples.shop.routes.access import DatabaseOf
from examples.shop.routes.orders import find_order

router = APIRouter(tags=["shipments"])


def find_shipment(connection: sqlite3.Connection, order_id: str, caller: str | None) -> Shipment:
    """Return an order's shipment; raises a 404 Problem if there is no order or no parcel yet."""
    order = find_order(connection, order_id, caller)
    if order.status == "split" or order.status == "see parent order":
        return Shipment(
            order_id=order_id, stage=order.status, parent=order.parent, children=order.children
        )
    row = connection.execute("SELECT * FROM shipments WHERE order_id = ?", (order_id,)).fetchone()
    if row is None:
        raise not_found("shipment", _describe_missing(order))
    events = connection.execute(
        "SELECT at, place, description FROM shipment_events WHERE order_id = ? ORDER BY at",
        (order_id,),
    ).fetchall()
    return Shipment.model_validate(
        {
            **dict(row),
            "events": tuple(ShipmentEvent.model_validate(dict(event)) for event in events),
        }
    )


def _describe_missing(order: Order) -> str:
    return f"for order {order.id}: it is '{order.status}' and nothing was sent"


@router.get("/orders/{order_id}/shipment", operation_id="get_shipping_status")
async def get_shipment(order_id: str, database: DatabaseOf, caller: Caller) -> Shipment:
    """Return where an order's parcel is, with its tracking number and events."""
    return await database.read(find_shipment, order_id, caller)
