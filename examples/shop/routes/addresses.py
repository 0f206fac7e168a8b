"""Addresses in the database; they are reached through orders and customers."""

import sqlite3

from examples.shop.documents import Address


def find_address(connection: sqlite3.Connection, number: int) -> Address:
    """Return the address with the given row number, which a foreign key guarantees to exist."""
    row = connection.execute("SELECT * FROM addresses WHERE number = ?", (number,)).fetchone()
    return Address.model_validate(dict(row))


def add_address(connection: sqlite3.Connection, address: Address) -> int:
    """Store `address` and return its row number."""
    (number,) = connection.execute(
        "INSERT INTO addresses (recipient, street, city, region, postal_code, country)"
        " VALUES (:recipient, :street, :city, :region, :postal_code, :country)"
        " RETURNING number",
        address.model_dump(),
    ).fetchone()
    return int(number)
