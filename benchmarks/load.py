"""Many conversations at once over HTTP: what the service adds to the models' own time."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks.adapter import PROJECT
from benchmarks.figures import percentile
from benchmarks.processes import Server, start, start_simulator

__all__ = ["Load", "LoadResult", "run_load_case"]


@dataclass(frozen=True, slots=True)
class Load:
    """A load: so many conversations at the same time, each with so many messages."""

    conversations: int = 200
    messages: int = 5
    latency_ms: int = 300


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came of a load."""

    turns: int
    lost: int
    seconds: float
    added_p50_ms: float
    added_p95_ms: float
    added_p99_ms: float
    cpu_ms: float
    memory_mb: float


def run_load_case(load: Load, *, service_core: int | None, other_core: int | None) -> LoadResult:
    """Runs the real service against the simulator and answers every conversation's messages."""
    with (
        TemporaryDirectory() as folder,
        start_simulator(load.latency_ms, core=other_core) as model,
        start(
            *("-m", "interlock.cli.main", "serve", str(PROJECT), "--port", "0"),
            core=service_core,
            environment={
                "BENCH_MODEL_URL": model.url,
                "BENCH_STORE_URL": f"sqlite:///{Path(folder) / 'bench.db'}",
            },
        ) as service,
    ):
        return asyncio.run(_drive(load, service))


async def _drive(load: Load, service: Server) -> LoadResult:
    added: list[float] = []
    lost = 0
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(service.url, connector=connector) as client:

        async def converse(number: int) -> None:
            nonlocal lost
            # Customers do not all write in the same instant.
            await asyncio.sleep(random.Random(number).random() * 3 * load.latency_ms / 1000)
            identity = {"agent": "support", "customerId": f"C-{number}"}
            async with client.post("/v1/conversations", json=identity) as answer:
                conversation = (await answer.json())["id"]
            for message in range(load.messages):
                order = f"B-{10_000 + number * 100 + message}"
                started = time.perf_counter()
                async with client.post(
                    f"/v1/conversations/{conversation}/messages",
                    json={"text": f"Hi, where is my order {order}?"},
                ) as answer:
                    body = await answer.json()
                seconds = time.perf_counter() - started
                if answer.status != 200 or order not in body["reply"]:
                    lost += 1
                    continue
                added.append(seconds * 1000 - body["modelCalls"] * load.latency_ms)

        await converse(load.conversations)
        added.clear()
        cpu, started = service.cpu_seconds(), time.perf_counter()
        await asyncio.gather(*(converse(number) for number in range(load.conversations)))
        elapsed = time.perf_counter() - started
        cpu = service.cpu_seconds() - cpu
    return LoadResult(
        turns=len(added),
        lost=lost,
        seconds=elapsed,
        added_p50_ms=percentile(added, 0.50),
        added_p95_ms=percentile(added, 0.95),
        added_p99_ms=percentile(added, 0.99),
        cpu_ms=cpu * 1000 / max(1, len(added)),
        memory_mb=service.memory_mb(),
    )
