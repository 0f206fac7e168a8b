"""How routes reach the database of the running application."""

from typing import Annotated

from fastapi import Depends, Request

from examples.shop.database import Database


async def _read_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


DatabaseOf = Annotated[Database, Depends(_read_database)]
