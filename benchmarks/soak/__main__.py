"""Random edits of a real service's files under load; exit code 1 if anything goes wrong.

    python -m benchmarks.soak                               # 1,000 edits, 50 conversations
    python -m benchmarks.soak --edits 100 --seed 7

While customers write all the time over HTTP, files are edited, broken, written slowly, renamed,
removed, made again, swapped as a ConfigMap and as a release. After each few edits the service
must be as the files are: they are active if they are valid; otherwise what was valid before is,
and the files are what is rejected. Every message must get its one right answer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.figures import percentile
from benchmarks.soak.run import Figures, Plan, soak

_TOLD = 100
"""Edits between two lines that say how far it is."""

_SHOWN = 10
"""Divergences and lost messages that are shown."""


def main() -> None:
    """Soaks and prints a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    console = Console()
    plan = Plan(edits=args.edits, conversations=args.conversations, seed=args.seed)

    told = 0

    def tell(figures: Figures) -> None:
        nonlocal told
        if figures.edits - told >= _TOLD:
            told = figures.edits
            wrong = len(figures.divergences) + len(figures.lost)
            console.print(f"{told} edits, {wrong} times something went wrong", highlight=False)

    figures = asyncio.run(soak(plan, tell=tell))
    _print(plan, figures, console)
    sys.exit(1 if figures.divergences or figures.lost else 0)


def _print(plan: Plan, figures: Figures, console: Console) -> None:
    table = Table(
        title=f"{figures.edits} edits (seed {plan.seed}), {plan.conversations} conversations,"
        f" {figures.seconds:.0f} s; load average {os.getloadavg()[0]:.1f}",
        show_header=False,
    )
    seconds = figures.active_seconds
    for name, value in (
        ("checkpoints", f"{figures.checkpoints}, {figures.invalid_checkpoints} of them invalid"),
        ("applied", f"{figures.applied}"),
        ("rejected", f"{figures.rejected}"),
        ("divergences", f"{len(figures.divergences)}"),
        ("turns", f"{figures.turns}"),
        ("lost", f"{len(figures.lost)}"),
        ("save to active p50", f"{percentile(seconds, 0.5) * 1000:.0f} ms of {len(seconds)}"),
        ("save to active p99", f"{percentile(seconds, 0.99) * 1000:.0f} ms"),
        ("RSS, from warm to the end", " ".join(f"{mb:.0f}" for mb in figures.memory_mb) + " MB"),
        ("open files and connections", " ".join(map(str, figures.descriptors))),
    ):
        table.add_row(name, value)
    console.print(table)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(figures.kinds.items()))
    console.print(kinds, soft_wrap=True, highlight=False)
    for wrong in (*figures.divergences[:_SHOWN], *figures.lost[:_SHOWN]):
        console.print(wrong, soft_wrap=True, highlight=False, markup=False, style="red")


if __name__ == "__main__":
    main()
