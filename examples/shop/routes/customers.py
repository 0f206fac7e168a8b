"""Customers: one of them, and a search for them."""

import sqlite3
from typing import Annotated

from fastapi import APIRouter, Query

from examples.shop.documents import Customer, CustomerList, CustomerSummary
from examples.shop.identity import Caller, HeaderCaller
from examples.shop.problems import not_found
from examples.shop.routes.access import DatabaseOf
from examples.shop.routes.addresses import find_address
from examples.shop.routes.crm import find_notes
from examples.shop.search import contains_words

router = APIRouter(tags=["customers"])

SEARCH_LIMIT = 20


def find_customer(connection: sqlite3.Connection, customer_id: str, caller: str | None) -> Customer:
    """Return one customer; raises a 404 Problem if unknown or not the caller."""
    row = connection.execute("SELECT * FROM customers WHERE id = ?", (customer_id,)).fetchone()
    if row is None or caller not in (None, customer_id):
        raise not_found("customer", customer_id)
    return Customer.model_validate(
        {
            **dict(row),
            "address": find_address(connection, row["address_number"]),
            "notes": find_notes(connection, customer_id),
        }
    )


def search_customers(
    connection: sqlite3.Connection, query: str, caller: str | None
) -> CustomerList:
    """Return customers whose id, name, email or phone hold all words of `query`."""
    rows = connection.execute(
        "SELECT id, name, email, phone FROM customers"
        " WHERE (:caller IS NULL OR id = :caller) ORDER BY id",
        {"caller": caller},
    ).fetchall()
    found = [row for row in rows if contains_words(query, tuple(row))]
    return CustomerList(
        customers=tuple(CustomerSummary.model_validate(dict(row)) for row in found[:SEARCH_LIMIT])
    )


@router.get("/customers/{customer_id}", operation_id="get_customer")
async def get_customer(customer_id: str, database: DatabaseOf, caller: HeaderCaller) -> Customer:
    """Return one customer with address and notes."""
    return await database.read(find_customer, customer_id, caller)


@router.get("/customers", operation_id="search_customer")
async def get_customers(
    query: Annotated[str, Query(min_length=1, max_length=200)],
    database: DatabaseOf,
    caller: Caller,
) -> CustomerList:
    """Return customers by part of their id, name, email or phone."""
    return await database.read(search_customers, query, caller)
