from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from interlock.diagnostics import Diagnostic, Location
from interlock.reload.outcome import Finding, Rejection
from interlock.reload.standing import Standing
from tests.unit.service.fakes import (
    NOW,
    FakeGeneration,
    FakeHeld,
    FakeRuntime,
    client_of,
    make_runtime,
    make_snapshot,
)

REJECTION = Rejection(
    digest="r" * 64,
    at=NOW,
    trigger="watch",
    reason="invalid",
    findings=(Finding(Diagnostic("ILK-C003", "bad", Location("a.yaml", 1, 2)), "a.yaml:1:2: bad"),),
)


async def test_at_first_everything_is_in_order(client: httpx2.AsyncClient) -> None:
    shown = (await client.get("/v1/config")).json()
    assert {name: shown[name] for name in ("rejected", "resumed", "rolledBack", "draining")} == {
        "rejected": None,
        "resumed": None,
        "rolledBack": None,
        "draining": [],
    }
    assert shown["watcher"] == {
        "mode": "auto",
        "state": "watching",
        "failure": None,
        "resyncSeconds": 2.0,
        "restarts": 0,
    }


async def test_a_rejection_is_shown_and_makes_the_service_degraded(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.supervisor.standing = Standing("x", rejected=REJECTION, stale_since=NOW)
    rejected = (await client.get("/v1/config")).json()["rejected"]
    assert (rejected["digest"], rejected["reason"]) == ("r" * 64, "invalid")
    assert [finding["text"] for finding in rejected["findings"]] == ["a.yaml:1:2: bad"]
    health = (await client.get("/v1/health")).json()
    assert (health["status"], health["reasons"]) == ("degraded", ["config_rejected"])
    # It does its work, so traffic need not go elsewhere.
    assert (await client.get("/v1/health/ready")).status_code == 200


async def test_a_resumed_configuration_is_shown(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.supervisor.standing = Standing("x", rejected=REJECTION, stale_since=NOW, resumed=NOW)
    assert (await client.get("/v1/config")).json()["resumed"] is not None
    health = (await client.get("/v1/health")).json()
    assert health["reasons"] == ["config_rejected", "resumed"]


async def test_a_rollback_is_information_and_no_fault(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.supervisor.standing = Standing("x", rolled_back="f" * 64)
    assert (await client.get("/v1/config")).json()["rolledBack"] == "f" * 64
    health = (await client.get("/v1/health")).json()
    assert (health["status"], health["rolledBack"]) == ("ok", "f" * 64)


async def test_a_watcher_that_failed_is_shown(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.supervisor.watch.failure = "raise the sysctl"
    runtime.supervisor.watch.restarts = 3
    watcher = (await client.get("/v1/config")).json()["watcher"]
    assert (watcher["state"], watcher["failure"], watcher["restarts"]) == (
        "resync_only",
        "raise the sysctl",
        3,
    )
    assert (await client.get("/v1/health")).json()["reasons"] == ["watch_down"]


async def test_in_manual_mode_nobody_misses_the_watcher() -> None:
    runtime = make_runtime(reload="{mode: manual}")
    runtime.supervisor.watch.failure = "no room"
    async with client_of(runtime) as client:
        watcher = (await client.get("/v1/config")).json()["watcher"]
        assert (watcher["mode"], watcher["state"]) == ("manual", "off")
        assert (await client.get("/v1/health")).json()["status"] == "ok"


async def test_draining_generations_are_shown(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    generations = runtime.supervisor.generations
    generations.active = replace(generations.active, number=3, turns=2)
    before = FakeHeld(FakeGeneration(make_snapshot(reload="{quiet: 1s}")), number=2, turns=5)
    generations.draining = (replace(before, replaced_at=NOW),)
    shown = (await client.get("/v1/config")).json()
    assert (shown["active"]["generation"], shown["active"]["turns"]) == (3, 2)
    (draining,) = shown["draining"]
    assert (draining["generation"], draining["turns"]) == (2, 5)
    assert draining["digest"] == before.digest


@pytest.mark.parametrize(
    ("age", "limit", "status"),
    [
        (timedelta(hours=2), "1h", 503),
        (timedelta(minutes=2), "1h", 200),
        (timedelta(days=9), None, 200),
        (None, "1h", 200),
    ],
)
async def test_a_service_is_ready_only_for_so_long_without_its_files(
    age: timedelta | None, limit: str | None, status: int
) -> None:
    runtime = make_runtime(reload="{}" if limit is None else f"{{maxStale: {limit}}}")
    since = None if age is None else datetime.now(UTC) - age
    runtime.supervisor.standing = Standing("x", stale_since=since)
    async with client_of(runtime) as client:
        answer = await client.get("/v1/health/ready")
    assert answer.status_code == status
    if status == 503:
        assert answer.json()["code"] == "config_stale"
