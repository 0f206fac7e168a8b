"""What a turn of Interlock costs, beside the bare SDK loop, in one run.

    python -m benchmarks              # both parts, about two minutes
    python -m benchmarks cpu          # CPU per turn: three model calls, two tool calls
    python -m benchmarks load         # 200 conversations at once, models answering in 300 ms

What is measured runs on one core, the simulator and the load generator on the other. The
machine should be idle; CPU figures stand a little noise, times do not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.adapter import ADAPTERS
from benchmarks.load import Load, run_load_case
from benchmarks.processes import start_simulator

_CONSOLE = Console()


def main() -> None:
    """Runs the parts that were asked for and prints a table each."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", nargs="?", choices=["cpu", "load", "all"], default="all")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each adapter")
    parser.add_argument("--conversations", type=int, default=200, help="at once, in the load part")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    measured, others = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    if args.part in ("cpu", "all"):
        _cpu(args.repeat, measured, others)
    if args.part in ("load", "all"):
        _load(Load(conversations=args.conversations), measured, others)


def _cpu(repeat: int, measured: int | None, others: int | None) -> None:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in ADAPTERS}
    with start_simulator(0, core=others) as model:
        # In turns, so that a drift of the machine touches all alike.
        for _ in range(repeat):
            for name in ADAPTERS:
                command = [sys.executable, "-m", "benchmarks.measure", name]
                command += ["--model-url", model.url]
                if measured is not None:
                    command += ["--core", str(measured)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                runs[name].append(json.loads(done.stdout))
    table = Table(title=f"One turn: 3 model calls, 2 tool calls; median of {repeat} runs")
    for column in ("adapter", "CPU ms/turn", "ratio", "p50 ms", "p95 ms", "turns/s", "peak MB"):
        table.add_column(column, justify="left" if column == "adapter" else "right")
    base = statistics.median(run["cpu_ms"] for run in runs["bare SDK"])
    for name, results in runs.items():
        median = {key: statistics.median(run[key] for run in results) for key in results[0]}
        table.add_row(
            name,
            f"{median['cpu_ms']:.2f}",
            f"{median['cpu_ms'] / base:.2f}",
            f"{median['p50_ms']:.1f}",
            f"{median['p95_ms']:.1f}",
            f"{median['turns_per_second']:.0f}",
            f"{median['peak_mb']:.0f}",
        )
    _CONSOLE.print(table)


def _load(load: Load, measured: int | None, others: int | None) -> None:
    if others is not None:
        os.sched_setaffinity(0, {others})
    result = run_load_case(load, service_core=measured, other_core=others)
    table = Table(
        title=f"{load.conversations} conversations at once, {load.messages} messages each,"
        f" models answering in {load.latency_ms} ms"
    )
    for column in ("turns", "lost", "turns/s", "added p50", "p95", "p99", "CPU ms/turn", "RSS MB"):
        table.add_column(column, justify="right")
    table.add_row(
        str(result.turns),
        str(result.lost),
        f"{result.turns / result.seconds:.0f}",
        f"{result.added_p50_ms:.0f} ms",
        f"{result.added_p95_ms:.0f} ms",
        f"{result.added_p99_ms:.0f} ms",
        f"{result.cpu_ms:.2f}",
        f"{result.memory_mb:.0f}",
    )
    _CONSOLE.print(table)


if __name__ == "__main__":
    main()
