"""One measured run of one adapter, in a process of its own; prints one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import time
from collections.abc import Iterator
from itertools import count

import uvloop

from benchmarks.adapter import ADAPTERS, Open
from benchmarks.figures import percentile

_WARM_UP = 40


async def run_load(
    open_conversation: Open, numbers: Iterator[int], *, conversations: int, concurrency: int
) -> list[float]:
    """The seconds of every turn, after checking every answer."""
    seconds: list[float] = []
    pending = iter(range(conversations))

    async def work() -> None:
        for _ in pending:
            order = f"B-{10_000 + next(numbers)}"
            ask = await open_conversation()
            started = time.perf_counter()
            answer = await ask(f"Hi, where is my order {order}?")
            seconds.append(time.perf_counter() - started)
            if order not in answer:
                raise AssertionError(f"a wrong answer for {order}: {answer!r}")

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return seconds


async def measure(
    adapter: str, model_url: str, *, conversations: int, concurrency: int
) -> dict[str, float]:
    """CPU milliseconds a turn, turns a second, and the turn's own time."""
    numbers = count()
    async with ADAPTERS[adapter](model_url) as open_conversation:
        await run_load(open_conversation, numbers, conversations=_WARM_UP, concurrency=concurrency)
        gc.collect()
        # As the service does: what was made at the start is not searched for garbage for ever.
        gc.freeze()
        cpu, started = time.process_time(), time.perf_counter()
        seconds = await run_load(
            open_conversation, numbers, conversations=conversations, concurrency=concurrency
        )
        cpu, elapsed = time.process_time() - cpu, time.perf_counter() - started
    return {
        "cpu_ms": cpu * 1000 / len(seconds),
        "p50_ms": percentile(seconds, 0.50) * 1000,
        "p95_ms": percentile(seconds, 0.95) * 1000,
        "turns_per_second": len(seconds) / elapsed,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Runs one adapter as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("adapter", choices=sorted(ADAPTERS))
    parser.add_argument("--model-url", required=True)
    parser.add_argument("--conversations", type=int, default=400)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--core", type=int)
    args = parser.parse_args()
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    result = measure(
        args.adapter,
        args.model_url,
        conversations=args.conversations,
        concurrency=args.concurrency,
    )
    # Each with the loop that it comes with: the SDK with asyncio's, the service with uvloop.
    run = uvloop.run if args.adapter == "Interlock" else asyncio.run
    print(json.dumps(run(result)))


if __name__ == "__main__":
    main()
