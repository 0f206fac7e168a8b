"""Invoices: what an order costs, made from the order."""

import sqlite3

from fastapi import APIRouter

from examples.shop.documents import Invoice, InvoiceLine
from examples.shop.identity import Caller
from examples.shop.problems import not_found
from examples.shop.routes.access import DatabaseOf
from examples.shop.routes.orders import find_order
from examples.shop.routes.refunds import sum_refunds

router = APIRouter(tags=["invoices"])


def find_invoice(connection: sqlite3.Connection, order_id: str, caller: str | None) -> Invoice:
    """Return an order's invoice; raises a 404 Problem for the child of a split order."""
    order = find_order(connection, order_id, caller)
    if order.parent is not None:
        raise not_found("invoice", f"for {order_id}: its items are on that of {order.parent}")
    match order.status:
        case "shipped" | "delivered":
            status = "paid"
        case "cancelled":
            status = "void"
        case _:
            status = "unpaid"
    return Invoice.model_validate(
        {
            "number": order.id.replace("ORD-", "INV-"),
            "order_id": order.id,
            "customer_id": order.customer_id,
            "issued": order.placed,
            "status": status,
            "bill_to": order.address,
            "lines": tuple(
                InvoiceLine(
                    sku=item.sku,
                    name=item.name,
                    quantity=item.quantity,
                    unit_price=item.unit_price,
                    amount=item.quantity * item.unit_price,
                )
                for item in order.items
            ),
            "total": order.total,
            "refunded": sum_refunds(connection, order_id),
        }
    )


@router.get("/orders/{order_id}/invoice", operation_id="get_invoice")
async def get_invoice(order_id: str, database: DatabaseOf, caller: Caller) -> Invoice:
    """Return what an order costs and how much of it was refunded."""
    return await database.read(find_invoice, order_id, caller)
