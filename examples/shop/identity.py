"""On whose behalf a request is made, as its caller says; the shop trusts its callers.

None means the back office, which may see every customer. A customer sees only what is
theirs, and for the rest gets the same 404 as for something that does not exist.
"""

from typing import Annotated

from fastapi import Depends, Header, Query

from examples.shop.problems import invalid, not_found


def agree_on_customer(*names: str | None) -> str | None:
    """Return the one customer that all given names mean, or None if none was given.

    Raises a 422 Problem for an empty name (a caller that lost the identity must not become
    the back office), and a 404 Problem for names that differ.
    """
    given = [name for name in names if name is not None]
    if "" in given:
        raise invalid("empty-customer", "The customer's id is empty; send an id or nothing.")
    for name in given:
        if name != given[0]:
            raise not_found("customer", name)
    return given[0] if given else None


async def read_header(x_customer_id: Annotated[str | None, Header()] = None) -> str | None:
    """Return the customer named by the `X-Customer-Id` header."""
    return agree_on_customer(x_customer_id)


async def read_header_and_query(
    x_customer_id: Annotated[str | None, Header()] = None,
    customer_id: Annotated[str | None, Query()] = None,
) -> str | None:
    """Return the customer named by `X-Customer-Id`, by `?customer_id=`, or by both."""
    return agree_on_customer(x_customer_id, customer_id)


HeaderCaller = Annotated[str | None, Depends(read_header)]
Caller = Annotated[str | None, Depends(read_header_and_query)]
