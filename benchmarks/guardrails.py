"""How long the rules of guardrails take, for ordinary texts and for hostile ones.

    python -m benchmarks.guardrails
    python -m benchmarks.guardrails --file texts.jsonl    # also over texts of your own

Each figure is the best of several runs, so that a busy machine shows less. Texts are new in each
run: what the guardrail remembers of words is measured as it is in service, half warm.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from interlock.guardrails.injection.score import score
from interlock.turn.guard import Stage

_CONSOLE = Console()
_SIZES = (2_000, 20_000, 200_000, 1_000_000)
_ORDINARY = (
    "Hello, I ordered a lamp in March and the box came without the instructions. The system says "
    "that my order was delivered, but please look at it again, and ignore my earlier e-mail. "
)


def main() -> None:
    """Prints the time for each kind of text and size."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.guardrails",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--file", type=Path, help="JSONL with a text and a channel a line")
    parser.add_argument("--repeat", type=int, default=7, help="runs of each text")
    args = parser.parse_args()
    table = Table("injection, ms", *(f"{size:,}" for size in _SIZES), title="best of the runs")
    for name, make in _KINDS.items():
        for stage in ("input", "tool_result"):
            times = [_best(make, size, stage, args.repeat) for size in _SIZES]
            table.add_row(f"{name}, {stage}", *(f"{seconds * 1000:.2f}" for seconds in times))
    _CONSOLE.print(table)
    if args.file is not None:
        _CONSOLE.print(_over_file(args.file))


def _best(make: Callable[[int, random.Random], str], size: int, stage: Stage, repeat: int) -> float:
    found = []
    for number in range(repeat):
        text = make(size, random.Random(number))[:size]
        began = time.process_time()
        score(text, stage)
        found.append(time.process_time() - began)
    return min(found)


def _over_file(path: Path) -> str:
    times, characters = [], 0
    for line in path.read_text().splitlines():
        row = json.loads(line)
        began = time.process_time()
        score(row["text"], "input" if row["channel"] == "user" else "tool_result")
        times.append(time.process_time() - began)
        characters += len(row["text"])
    return (
        f"{len(times)} texts of {characters / len(times):.0f} characters on average: "
        f"median {statistics.median(times) * 1000:.2f} ms, slowest {max(times) * 1000:.2f} ms"
    )


def _repeated(text: str) -> Callable[[int, random.Random], str]:
    return lambda size, _: text * (size // len(text) + 1)


def _random_words(size: int, chance: random.Random) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join(
        "".join(chance.choices(letters, k=chance.randint(6, 14))) for _ in range(size // 7)
    )


def _random_signs(size: int, chance: random.Random) -> str:
    return "".join(chr(chance.randint(0x21, 0x2FFF)) for _ in range(size))


def _encoded(size: int, chance: random.Random) -> str:
    inner = base64.b64encode(base64.b64encode(_ORDINARY.encode() * 20)).decode()
    return f"{inner} " * (size // len(inner) + 1)


_KINDS: dict[str, Callable[[int, random.Random], str]] = {
    "ordinary": _repeated(_ORDINARY),
    "unknown words": _random_words,
    "one long word": _repeated("a"),
    "one long known word": _repeated("ignoreallprevious"),
    "override words": _repeated("ignore previous my instructions "),
    "letters apart": _repeated("i g n o r e  a l l  "),
    "digits as letters": _repeated("1gn0r3 4ll pr3v10u5 "),
    "random signs": _random_signs,
    "nested base64": _encoded,
    "percent signs": _repeated("%69%67"),
    "half a speaker": _repeated("\n  q: a: "),
    "brackets": _repeated("<|[<<{"),
}

if __name__ == "__main__":
    main()
