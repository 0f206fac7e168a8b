"""Whether a canary lives: what its turns came to, beside those of the active configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interlock.model.canary import Canary
from interlock.model.turn import TurnResult
from interlock.model.usage import usd

__all__ = ["Arm", "Verdict", "judge"]

_CLEAR = 3
"""Events beyond what was to be expected that cannot be put down to chance."""


@dataclass(slots=True)
class Arm:
    """What the turns of one configuration came to since the canary began."""

    turns: int = 0
    escalated: int = 0
    failed: int = 0
    """Those that ended incomplete too."""
    refused: int = 0
    cost_nano: int = 0

    def add(self, result: TurnResult) -> None:
        """Counts a turn that has ended."""
        self.turns += 1
        self.escalated += result.outcome == "escalated"
        self.failed += result.outcome in ("failed", "incomplete")
        self.refused += result.outcome == "refused"
        self.cost_nano += result.cost_nano


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a canary, and why in words for the operator."""

    action: Literal["wait", "promote", "abort"]
    reason: str


def judge(rules: Canary, *, active: Arm, canary: Arm, elapsed_seconds: float) -> Verdict:
    """Aborts a canary that does clearly worse, promotes one whose time is up without that.

    A rate counts as worse when it passes its factor and at least three turns went wrong that
    would not have by the active configuration's rate: one bad turn in ten is no evidence.
    Before the time is up, nothing is concluded from fewer than `minTurns` turns of either.
    """
    enough = min(active.turns, canary.turns) >= rules.min_turns
    over = elapsed_seconds >= rules.for_.total_seconds()
    if (enough or over) and active.turns and canary.turns:
        worse = _worse_rate(rules, active, canary)
        if worse is None and enough:
            # The mean of a few turns says nothing.
            worse = _worse_cost(rules, active, canary)
        if worse is not None:
            return Verdict("abort", worse)
    if not over:
        told = f"{canary.turns} turns so far, beside {active.turns} of the active configuration"
        return Verdict("wait", told)
    if enough:
        return Verdict("promote", f"{canary.turns} turns were no worse than the others")
    few = min(active.turns, canary.turns)
    return Verdict("promote", f"its time is up and nothing spoke against it; only {few} turns")


def _worse_rate(rules: Canary, active: Arm, canary: Arm) -> str | None:
    limits = rules.abort_on
    for name, factor, before, now in (
        ("escalationRate", limits.escalation_rate, active.escalated, canary.escalated),
        ("errorRate", limits.error_rate, active.failed, canary.failed),
        ("refusalRate", limits.refusal_rate, active.refused, canary.refused),
    ):
        expected = before * canary.turns / active.turns
        if now > factor * expected and now - expected >= _CLEAR:
            was, became = before / active.turns, now / canary.turns
            return f"{name} {was:.0%} → {became:.0%}, more than {factor:g}x"
    return None


def _worse_cost(rules: Canary, active: Arm, canary: Arm) -> str | None:
    factor = rules.abort_on.cost_per_turn
    was, cost = active.cost_nano / active.turns, canary.cost_nano / canary.turns
    if cost <= factor * was:
        return None
    shown = f"${usd(round(was)):.6f} → ${usd(round(cost)):.6f}"
    return f"costPerTurn {shown}, more than {factor:g}x"
