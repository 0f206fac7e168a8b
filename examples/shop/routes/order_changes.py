"""Cancelling an order and sending it elsewhere; both only while it is processing."""

import sqlite3
from functools import partial

from fastapi import APIRouter
from fastapi.responses import Response

from examples.shop.bodies import AddressBody, CancelBody
from examples.shop.clock import read_clock
from examples.shop.documents import Address, Order
from examples.shop.idempotency import MutationsOf
from examples.shop.identity import Caller, agree_on_customer
from examples.shop.routes.addresses import add_address
from examples.shop.routes.orders import find_order
from examples.shop.rules import check_changeable

router = APIRouter(tags=["orders"])


def cancel_order(
    connection: sqlite3.Connection, *, order_id: str, caller: str | None, reason: str
) -> Order:
    """Cancel an order and return it; raises a 409 Problem once it has left `processing`."""
    check_changeable(find_order(connection, order_id, caller))
    connection.execute(
        "INSERT INTO cancellations (order_id, reason, created_at) VALUES (?, ?, ?)",
        (order_id, reason, read_clock()),
    )
    connection.execute(
        "UPDATE orders SET status = 'cancelled', eta = NULL WHERE id = ?", (order_id,)
    )
    return find_order(connection, order_id, caller)


def change_address(
    connection: sqlite3.Connection, *, order_id: str, caller: str | None, body: AddressBody
) -> Order:
    """Send an order elsewhere and return it; raises a 409 Problem as `cancel_order` does."""
    order = find_order(connection, order_id, caller)
    check_changeable(order)
    current = add_address(
        connection,
        Address(
            recipient=body.recipient or order.address.recipient,
            street=body.street,
            city=body.city,
            region=body.region,
            postal_code=body.postal_code,
            country=body.country,
        ),
    )
    connection.execute(
        "INSERT INTO address_changes (order_id, previous, current, created_at)"
        " SELECT id, address_number, ?, ? FROM orders WHERE id = ?",
        (current, read_clock(), order_id),
    )
    connection.execute("UPDATE orders SET address_number = ? WHERE id = ?", (current, order_id))
    return find_order(connection, order_id, caller)


@router.post("/orders/{order_id}/cancel", response_model=Order, operation_id="cancel_order")
async def post_cancellation(
    order_id: str, body: CancelBody, mutations: MutationsOf, caller: Caller
) -> Response:
    """Cancel an order that is processing."""
    customer = agree_on_customer(caller, body.customer_id)
    effect = partial(cancel_order, order_id=order_id, caller=customer, reason=body.reason)
    return await mutations.perform(effect, caller=customer, body=body)


@router.put(
    "/orders/{order_id}/address", response_model=Order, operation_id="update_shipping_address"
)
async def put_address(
    order_id: str, body: AddressBody, mutations: MutationsOf, caller: Caller
) -> Response:
    """Change where an order that is processing is sent."""
    customer = agree_on_customer(caller, body.customer_id)
    effect = partial(change_address, order_id=order_id, caller=customer, body=body)
    return await mutations.perform(effect, caller=customer, body=body)
