"""The verdicts of a guardrail's trial, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from interlock.cli.table import print_table

if TYPE_CHECKING:
    from rich.console import Console

    from interlock.cli.guardrail_trial import Sample, Verdict

__all__ = ["print_trial", "summary_rows"]

_EXCERPT = 70


def print_trial(console: Console, judged: Sequence[tuple[Sample, Verdict]]) -> None:
    """Prints what did not pass, how often each verdict fell, and, with labels, how good it was."""
    stopped = [(sample, verdict) for sample, verdict in judged if verdict.verdict != "allow"]
    if stopped:
        rows = [
            [
                str(sample.line),
                sample.channel,
                verdict.verdict,
                verdict.rule or verdict.message or "",
                _excerpt(sample.text),
            ]
            for sample, verdict in stopped
        ]
        print_table(console, ("line", "channel", "verdict", "rule", "text"), rows)
        console.print()
    counted = Counter((sample.channel, verdict.verdict) for sample, verdict in judged)
    rows = [[channel, verdict, str(count)] for (channel, verdict), count in sorted(counted.items())]
    print_table(console, ("channel", "verdict", "texts"), rows)
    summary = list(summary_rows(judged))
    if summary:
        console.print()
        print_table(console, ("label", "channel", "tier", "stopped", "of", "share"), summary)
        console.print("attack: the share that was found; benign: false alarms")


def summary_rows(judged: Sequence[tuple[Sample, Verdict]]) -> Iterator[list[str]]:
    """How many labelled texts of each kind were stopped: recall, and false alarms."""
    of: Counter[tuple[str, str, str]] = Counter()
    stopped: Counter[tuple[str, str, str]] = Counter()
    for sample, verdict in judged:
        if sample.label is None:
            continue
        kind = (sample.label, sample.channel, sample.tier or "")
        of[kind] += 1
        stopped[kind] += verdict.verdict in ("deny", "redact")
    for kind in sorted(of):
        share = f"{stopped[kind] / of[kind]:.1%}"
        yield [*kind, str(stopped[kind]), str(of[kind]), share]


def _excerpt(text: str) -> str:
    line = " ".join(text[: 4 * _EXCERPT].split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1]}\N{HORIZONTAL ELLIPSIS}"
