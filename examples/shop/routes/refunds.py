"""Refunds: money on its way back."""

import sqlite3
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import Response

from examples.shop.bodies import RefundBody
from examples.shop.clock import read_clock
from examples.shop.documents import Refund
from examples.shop.idempotency import MutationsOf
from examples.shop.identity import Caller, agree_on_customer
from examples.shop.problems import not_found
from examples.shop.routes.access import DatabaseOf
from examples.shop.routes.orders import find_order
from examples.shop.rules import check_refund

router = APIRouter(tags=["refunds"])


def find_refund(connection: sqlite3.Connection, refund_id: str, caller: str | None) -> Refund:
    """Return one refund; raises a 404 Problem if it is unknown or not the caller's."""
    row = connection.execute(
        "SELECT refunds.*, customer_id FROM refunds JOIN orders ON orders.id = order_id"
        " WHERE refunds.id = ?",
        (refund_id,),
    ).fetchone()
    if row is None or caller not in (None, row["customer_id"]):
        raise not_found("refund", refund_id)
    return Refund.model_validate(dict(row))


def sum_refunds(connection: sqlite3.Connection, order_id: str) -> int:
    """Return how many cents of an order were refunded so far."""
    (total,) = connection.execute(
        "SELECT coalesce(sum(amount), 0) FROM refunds WHERE order_id = ?", (order_id,)
    ).fetchone()
    return int(total)


def issue_refund(connection: sqlite3.Connection, *, caller: str | None, body: RefundBody) -> Refund:
    """Start a refund and return it; raises the 409 Problems of `check_refund`."""
    order = find_order(connection, body.order_id, caller)
    amount = int(body.amount * 100)
    check_refund(order, refunded=sum_refunds(connection, order.id), amount=amount)
    (number,) = connection.execute(
        "INSERT INTO refunds (order_id, amount, status, reason, created_at)"
        " VALUES (?, ?, 'pending', ?, ?) RETURNING number",
        (order.id, amount, body.reason, read_clock()),
    ).fetchone()
    return find_refund(connection, f"REF-{number}", caller)


@router.get("/refunds/{refund_id}", operation_id="get_refund_status")
async def get_refund(refund_id: str, database: DatabaseOf, caller: Caller) -> Refund:
    """Return how far a refund is."""
    return await database.read(find_refund, refund_id, caller)


@router.post(
    "/refunds",
    response_model=Refund,
    status_code=HTTPStatus.CREATED,
    operation_id="issue_refund",
)
async def post_refund(body: RefundBody, mutations: MutationsOf, caller: Caller) -> Response:
    """Pay back some or all of what an order cost."""
    customer = agree_on_customer(caller, body.customer_id)
    return await mutations.perform(
        partial(issue_refund, caller=customer, body=body),
        caller=customer,
        body=body,
        status=HTTPStatus.CREATED,
    )
