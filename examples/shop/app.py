"""The shop as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from examples.shop import problems
from examples.shop.database import Database
from examples.shop.fault_middleware import FaultMiddleware
from examples.shop.faults import Faults
from examples.shop.routes import (
    crm,
    customers,
    fault_switches,
    invoices,
    order_changes,
    orders,
    policies,
    products,
    refunds,
    returns,
    service,
    shipments,
)

_RESOURCES = (
    orders,
    order_changes,
    shipments,
    invoices,
    returns,
    refunds,
    customers,
    crm,
    products,
    policies,
    service,
    fault_switches,
)


def create_app(database: Path) -> FastAPI:
    """Return the service on the file `database`, which its start creates if need be."""
    store = Database(database)
    faults = Faults()

    @asynccontextmanager
    async def prepare(app: FastAPI) -> AsyncIterator[None]:
        await store.prepare()
        yield
        await store.close()

    app = FastAPI(title="Shop", version="1.0.0", lifespan=prepare)
    app.state.database = store
    app.state.faults = faults
    app.add_middleware(FaultMiddleware, faults=faults)
    problems.install_handlers(app)
    for resource in _RESOURCES:
        app.include_router(resource.router)
    return app
