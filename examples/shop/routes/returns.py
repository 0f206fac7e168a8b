"""Returns: items on their way back."""

import sqlite3
from collections import Counter
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import Response

from examples.shop.bodies import ReturnBody
from examples.shop.clock import read_clock
from examples.shop.documents import Return, ReturnItem
from examples.shop.idempotency import MutationsOf
from examples.shop.identity import Caller, agree_on_customer
from examples.shop.problems import not_found
from examples.shop.routes.access import DatabaseOf
from examples.shop.routes.orders import find_order
from examples.shop.rules import check_return

router = APIRouter(tags=["returns"])


def find_return(connection: sqlite3.Connection, return_id: str, caller: str | None) -> Return:
    """Return one return; raises a 404 Problem if it is unknown or not the caller's."""
    row = connection.execute(
        "SELECT returns.*, customer_id FROM returns JOIN orders ON orders.id = order_id"
        " WHERE returns.id = ?",
        (return_id,),
    ).fetchone()
    if row is None or caller not in (None, row["customer_id"]):
        raise not_found("return", return_id)
    items = connection.execute(
        "SELECT sku, return_items.quantity, return_items.quantity * unit_price AS value"
        " FROM return_items JOIN order_items USING (sku)"
        " WHERE return_number = ? AND order_id = ? ORDER BY sku",
        (row["number"], row["order_id"]),
    ).fetchall()
    return Return.model_validate(
        {
            **dict(row),
            "items": tuple(
                ReturnItem(sku=item["sku"], quantity=item["quantity"]) for item in items
            ),
            "value": sum(item["value"] for item in items),
        }
    )


def create_return(
    connection: sqlite3.Connection, *, caller: str | None, body: ReturnBody
) -> Return:
    """Open a return and return it; raises the 409 Problems of `check_return`."""
    check_return(find_order(connection, body.order_id, caller), body.items)
    (number,) = connection.execute(
        "INSERT INTO returns (order_id, status, reason, created_at)"
        " VALUES (?, 'approved', ?, ?) RETURNING number",
        (body.order_id, body.reason, read_clock()),
    ).fetchone()
    connection.executemany(
        "INSERT INTO return_items VALUES (?, ?, ?)",
        [(number, sku, quantity) for sku, quantity in Counter(body.items).items()],
    )
    return find_return(connection, f"RET-{number}", caller)


@router.get("/returns/{return_id}", operation_id="get_return_status")
async def get_return(return_id: str, database: DatabaseOf, caller: Caller) -> Return:
    """Return how far a return is."""
    return await database.read(find_return, return_id, caller)


@router.post(
    "/returns",
    response_model=Return,
    status_code=HTTPStatus.CREATED,
    operation_id="create_return",
)
async def post_return(body: ReturnBody, mutations: MutationsOf, caller: Caller) -> Response:
    """Open a return of items from a delivered order."""
    customer = agree_on_customer(caller, body.customer_id)
    return await mutations.perform(
        partial(create_return, caller=customer, body=body),
        caller=customer,
        body=body,
        status=HTTPStatus.CREATED,
    )
