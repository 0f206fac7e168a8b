"""Products: a search in what the shop sells, the same for every customer."""

import sqlite3
from typing import Annotated

from fastapi import APIRouter, Query

from examples.shop.documents import Product, ProductList
from examples.shop.routes.access import DatabaseOf
from examples.shop.search import contains_words

router = APIRouter(tags=["products"])


def search_products(connection: sqlite3.Connection, query: str, limit: int) -> ProductList:
    """Return products whose SKU, name, category or description hold all words of `query`."""
    rows = connection.execute("SELECT * FROM products ORDER BY name").fetchall()
    found = [
        product
        for product in (Product.model_validate(dict(row)) for row in rows)
        if contains_words(query, (product.sku, product.name, product.category, product.description))
    ]
    return ProductList(products=tuple(found[:limit]), count=len(found))


@router.get("/products", operation_id="search_products")
async def get_products(
    query: Annotated[str, Query(min_length=1, max_length=200)],
    database: DatabaseOf,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> ProductList:
    """Return products by words of their SKU, name, category or description."""
    return await database.read(search_products, query, limit)
