"""CRM notes: what the staff remarks about customers."""

import sqlite3
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import Response

from examples.shop.bodies import NoteBody
from examples.shop.clock import read_clock
from examples.shop.documents import CrmNote
from examples.shop.idempotency import MutationsOf
from examples.shop.identity import Caller, agree_on_customer
from examples.shop.problems import not_found

router = APIRouter(tags=["crm"])


def find_notes(connection: sqlite3.Connection, customer_id: str) -> tuple[CrmNote, ...]:
    """Return the notes on one customer, the oldest first."""
    rows = connection.execute(
        "SELECT * FROM crm_notes WHERE customer_id = ? ORDER BY number", (customer_id,)
    ).fetchall()
    return tuple(CrmNote.model_validate(dict(row)) for row in rows)


def add_note(connection: sqlite3.Connection, *, body: NoteBody) -> CrmNote:
    """Store a note and return it; raises a 404 Problem if the customer is unknown."""
    known = connection.execute("SELECT 1 FROM customers WHERE id = ?", (body.customer_id,))
    if known.fetchone() is None:
        raise not_found("customer", body.customer_id)
    row = connection.execute(
        "INSERT INTO crm_notes (customer_id, note, created_at) VALUES (?, ?, ?) RETURNING *",
        (body.customer_id, body.note, read_clock()),
    ).fetchone()
    return CrmNote.model_validate(dict(row))


@router.post(
    "/crm/notes",
    response_model=CrmNote,
    status_code=HTTPStatus.CREATED,
    operation_id="update_crm",
)
async def post_note(body: NoteBody, mutations: MutationsOf, caller: Caller) -> Response:
    """Store a remark about a customer."""
    customer = agree_on_customer(caller, body.customer_id)
    return await mutations.perform(
        partial(add_note, body=body), caller=customer, body=body, status=HTTPStatus.CREATED
    )
