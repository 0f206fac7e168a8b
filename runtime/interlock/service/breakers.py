"""Breakers: what stops damage beyond one conversation, shown to operators and worked by them."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter, Request

from interlock.service.access import runtime_of, who_asks
from interlock.service.bodies import body_of, read_body
from interlock.service.breaker_schemas import BreakerList, BreakerOperation, BreakerView
from interlock.service.breaker_views import breaker_view, breaker_views
from interlock.service.openapi import problems

__all__ = ["router"]

router = APIRouter(prefix="/v1/breakers", tags=["breakers"])


class _Operation(StrEnum):
    """What an operator does with a breaker."""

    TRIP = "trip"
    RESET = "reset"
    DISABLE = "disable"
    ENABLE = "enable"


@router.get("")
async def list_breakers(request: Request) -> BreakerList:
    """All breakers: their states, what they judge by, since when, why, and when they are tried."""
    breakers = runtime_of(request).breakers
    await breakers.load()
    return BreakerList(breakers=breaker_views(breakers))


@router.post(
    "/{name}/{operation}",
    responses=problems(400, 404, 413, 415, 422, 503),
    openapi_extra=body_of(BreakerOperation),
)
async def operate(request: Request, name: str, operation: _Operation) -> BreakerView:
    """Trips, resets, disables or enables a breaker, at once and for running turns too.

    One that was tripped stays open until it is reset. One that is disabled stops nothing until it
    is enabled. Resetting a spend cap lets all of it be spent again.
    """
    # Also while the service is stopping: its last turns may be the ones to be stopped.
    body = await read_body(request, BreakerOperation)
    breakers = runtime_of(request).breakers
    await breakers.operate(operation.value, name, who=who_asks(request), why=body.why)
    return breaker_view(breakers, name)
