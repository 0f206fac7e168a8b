"""What a change does to the worst case of conversations, in words."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.config.bounds import WorstCase
from interlock.config.comparison import Comparison, WorstCases
from interlock.config.diff_tree import key_of
from interlock.config.difference import Difference

__all__ = ["cost_note", "dollars"]

_NAMED = 3
"""Agents that a note on the service names; of further ones it gives the number."""


def cost_note(difference: Difference, comparison: Comparison) -> str | None:
    """Such as `worst case $0.41 → $0.66 per conversation`; None if it has no part in costs.

    It tells of the whole plan: two changes of one agent's limits have the same note.
    """
    match difference.subject, difference.path:
        case "agent", () if difference.after is not None:
            return _of_agent(comparison.worst_cases(difference.name))
        case "agent", ("limits", "maxTokens" | "maxCostUsd") | ("models", *_):
            return _of_agent(comparison.worst_cases(difference.name))
        case "service", ("models", model, *_):
            return _of_service(comparison, comparison.agents_with(key_of(model)))
        case "service", ("prices", *_):
            return _of_service(comparison, comparison.agents)
    return None


def dollars(*amounts: int) -> list[str]:
    """Nano-dollars as US dollars, rounded up, with as many digits as it takes to tell them apart.

    Two digits after the point where that is enough, and two that count for small amounts.
    """
    for digits in range(2, 9):
        unit = 10 ** (9 - digits)
        rounded = [-(-amount // unit) for amount in amounts]
        telling = all(
            steps >= 10 or steps * unit == amount
            for steps, amount in zip(rounded, amounts, strict=True)
        )
        if telling and len(set(rounded)) == len(set(amounts)):
            return [f"${steps / 10**digits:.{digits}f}" for steps in rounded]
    return [f"${amount / 10**9:.9f}" for amount in amounts]


def _differs(cases: WorstCases) -> bool:
    return (
        cases.before is not None
        and cases.after is not None
        and cases.before.cost_nano != cases.after.cost_nano
    )


def _of_agent(cases: WorstCases) -> str:
    if cases.before is not None and cases.after is not None and not _differs(cases):
        return f"worst case stays {_amounts(cases)} per conversation{_reason(cases)}"
    return f"worst case {_amounts(cases)} per conversation{_reason(cases)}"


def _of_service(comparison: Comparison, agents: Iterable[str]) -> str | None:
    worst = {name: comparison.worst_cases(name) for name in agents}
    changed = [f"{name} {_amounts(cases)}" for name, cases in worst.items() if _differs(cases)]
    if not changed:
        return None
    shown = changed[:_NAMED]
    more = len(changed) - len(shown)
    rest = f" and {more} more" if more else ""
    return f"worst case per conversation: {', '.join(shown)}{rest}"


def _amounts(cases: WorstCases) -> str:
    known = [case.cost_nano for case in cases if case is not None and case.cost_nano is not None]
    texts = iter(dollars(*known))
    shown = [
        "unknown" if case.cost_nano is None else next(texts) for case in cases if case is not None
    ]
    return " → ".join(dict.fromkeys(shown))


def _reason(cases: WorstCases) -> str:
    last: WorstCase | None = cases.after or cases.before
    if last is None or not last.unpriced:
        return ""
    return f", as the price of {' and '.join(last.unpriced)} is unknown"
