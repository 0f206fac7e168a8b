"""Orders: one of them, and lists of them."""

import sqlite3
from typing import Annotated

from fastapi import APIRouter, Query

from examples.shop.documents import Order, OrderItem, OrderList, OrderStatus, OrderSummary
from examples.shop.identity import Caller
from examples.shop.problems import not_found
from examples.shop.routes.access import DatabaseOf
from examples.shop.routes.addresses import find_address

router = APIRouter(tags=["orders"])


def find_order(connection: sqlite3.Connection, order_id: str, caller: str | None) -> Order:
    """Return one order; raises a 404 Problem if it is unknown or not the caller's."""
    row = connection.execute(
        "SELECT orders.*, cancellations.reason AS cancellation_reason FROM orders"
        " LEFT JOIN cancellations ON cancellations.order_id = orders.id WHERE id = ?",
        (order_id,),
    ).fetchone()
    if row is None or caller not in (None, row["customer_id"]):
        raise not_found("order", order_id)
    children = connection.execute(
        "SELECT id FROM orders WHERE parent = ? ORDER BY id", (order_id,)
    ).fetchall()
    items = _find_items(connection, order_id)
    return Order.model_validate(
        {
            **dict(row),
            "items": items,
            "total": sum(item.quantity * item.unit_price for item in items),
            "address": find_address(connection, row["address_number"]),
            "children": tuple(child["id"] for child in children),
        }
    )


def _find_items(connection: sqlite3.Connection, order_id: str) -> tuple[OrderItem, ...]:
    # A split order has the items of its children and none of its own.
    rows = connection.execute(
        "SELECT sku, name, quantity, unit_price, returnable,"
        " (SELECT coalesce(sum(return_items.quantity), 0) FROM return_items"
        "  JOIN returns ON returns.number = return_number"
        "  WHERE returns.order_id = order_items.order_id"
        "  AND return_items.sku = order_items.sku) AS returned"
        " FROM order_items JOIN products USING (sku)"
        " JOIN orders ON orders.id = order_items.order_id"
        " WHERE ? IN (orders.id, orders.parent) ORDER BY orders.id, sku",
        (order_id,),
    ).fetchall()
    return tuple(OrderItem.model_validate(dict(row)) for row in rows)


def list_orders(
    connection: sqlite3.Connection, caller: str | None, *, status: str | None, limit: int
) -> OrderList:
    """Return the caller's orders, the latest first."""
    rows = connection.execute(
        "SELECT listed.*, (SELECT sum(quantity * unit_price) FROM order_items"
        "  JOIN orders ON orders.id = order_id"
        "  WHERE listed.id IN (orders.id, orders.parent)) AS total"
        " FROM orders AS listed"
        " WHERE (:caller IS NULL OR customer_id = :caller)"
        " AND (:status IS NULL OR status = :status)"
        " ORDER BY placed DESC, id DESC LIMIT :limit",
        {"caller": caller, "status": status, "limit": limit},
    ).fetchall()
    return OrderList(orders=tuple(OrderSummary.model_validate(dict(row)) for row in rows))


@router.get("/orders/{order_id}", operation_id="get_order_status")
async def get_order(order_id: str, database: DatabaseOf, caller: Caller) -> Order:
    """Return one order with its status, items and address."""
    return await database.read(find_order, order_id, caller)


@router.get("/orders", operation_id="list_orders")
async def get_orders(
    database: DatabaseOf,
    caller: Caller,
    status: OrderStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> OrderList:
    """Return a customer's orders, of one status if given."""
    return await database.read(list_orders, caller, status=status, limit=limit)
