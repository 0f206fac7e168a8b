"""Health: for the machine that restarts, the one that balances, and for people."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import APIRouter, Request

from interlock.errors import StoreError
from interlock.reload.supervisor import Supervisor
from interlock.service.access import open_runtime, runtime_of, supervisor_of
from interlock.service.openapi import problems
from interlock.service.problems import ApiError
from interlock.service.schemas import Health, HealthReason, Probe
from interlock.service.views import switch_views
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
    _require_fresh(supervisor_of(request))
    return Probe(status="ok")


@router.get("")
async def health(request: Request) -> Health:
    """How the service is, in one look."""
    runtime, supervisor = runtime_of(request), supervisor_of(request)
    reasons = _config_reasons(supervisor)
    try:
        await _ask(runtime.store)
    except StoreError:
        reasons.append("store_unavailable")
    active = supervisor.generations.active
    return Health(
        status="stopping" if runtime.stopping else "degraded" if reasons else "ok",
        reasons=reasons,
        generation=active.number,
        snapshot=active.digest,
        rolled_back=supervisor.standing.rolled_back,
        switches=switch_views(runtime.switches.active),
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


def _config_reasons(supervisor: Supervisor) -> list[HealthReason]:
    reasons: list[HealthReason] = []
    if supervisor.standing.rejected is not None:
        reasons.append("config_rejected")
    if supervisor.standing.resumed is not None:
        reasons.append("resumed")
    if supervisor.rules.mode == "auto" and supervisor.watch.failure is not None:
        reasons.append("watch_down")
    return reasons


def _require_fresh(supervisor: Supervisor) -> None:
    """Raises `ApiError` if the files could not be applied for longer than `reload.maxStale`."""
    since, most = supervisor.standing.stale_since, supervisor.rules.max_stale
    if since is None or most is None or datetime.now(UTC) - since <= most:
        return
    detail = "the configuration has been out of date for longer than reload.maxStale allows"
    raise ApiError(503, "config_stale", detail)
