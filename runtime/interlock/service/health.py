"""Health: for the machine that restarts, the one that balances, and for people."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request

from interlock.errors import StoreError
from interlock.runtime import Runtime
from interlock.service.access import open_runtime, runtime_of
from interlock.service.openapi import problems
from interlock.service.schemas import Health, Probe
from interlock.store.store import Store

__all__ = ["router"]

router = APIRouter(prefix="/v1/health", tags=["health"])

_VERSION = version("interlock-runtime")
_STORE_SECONDS = 2.0


@router.head("/live", include_in_schema=False)
@router.get("/live")
async def live() -> Probe:
    """The process runs. Restart it when this fails."""
    return Probe(status="ok")


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses=problems(503))
async def ready(request: Request) -> Probe:
    """The service takes messages. Send traffic elsewhere when this fails."""
    await _ask(open_runtime(request).store)
    return Probe(status="ok")


@router.get("")
async def health(request: Request) -> Health:
    """How the service is, in one look."""
    runtime = runtime_of(request)
    return Health(
        status="stopping" if runtime.stopping else await _status(runtime),
        snapshot=runtime.generation.snapshot.digest,
        turns_running=runtime.turns_running,
        version=_VERSION,
    )


async def _ask(store: Store) -> None:
    """Asks the store for next to nothing. Raises `StoreError` when it does not answer."""
    try:
        async with asyncio.timeout(_STORE_SECONDS):
            await store.conversations(limit=1)
    except TimeoutError:
        raise StoreError(f"no answer within {_STORE_SECONDS} seconds") from None


async def _status(runtime: Runtime) -> Literal["ok", "degraded"]:
    try:
        await _ask(runtime.store)
    except StoreError:
        return "degraded"
    return "ok"
