from __future__ import annotations

import httpx2
import pytest

from interlock.errors import StoreError
from tests.unit.service.fakes import FakeRuntime


async def test_a_healthy_service_is_live_and_ready(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.turns_running = 3
    assert (await client.get("/v1/health/live")).json() == {"status": "ok"}
    assert (await client.get("/v1/health/ready")).json() == {"status": "ok"}
    assert (await client.get("/v1/health")).json() == {
        "status": "ok",
        "reasons": [],
        "generation": 1,
        "rolledBack": None,
        "snapshot": runtime.generation.snapshot.digest,
        "switches": [],
        "turnsRunning": 3,
        "version": "0.1.0",
    }


@pytest.mark.parametrize("path", ["/v1/health/live", "/v1/health/ready"])
async def test_probes_may_ask_for_the_head_only(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.head(path)).status_code == 200


async def test_without_its_store_the_service_is_live_but_not_ready(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.store.failure = StoreError("no such table")
    assert (await client.get("/v1/health/live")).status_code == 200
    answer = await client.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    shown = (await client.get("/v1/health")).json()
    assert (shown["status"], shown["reasons"]) == ("degraded", ["store_unavailable"])


async def test_a_stopping_service_is_live_but_not_ready(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.stopping = True
    assert (await client.get("/v1/health/live")).status_code == 200
    answer = await client.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "shutting_down")
    assert (await client.get("/v1/health")).json()["status"] == "stopping"
