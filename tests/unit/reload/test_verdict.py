"""When a canary is aborted, when it is promoted, and when nothing can be said yet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from interlock.model.canary import Canary
from interlock.reload.verdict import Arm, judge

RULES = Canary.model_validate_json('{"share": "10%", "for": "30m", "minTurns": 20}')
HALF_AN_HOUR = 1800.0


def arm(
    turns: int, *, escalated: int = 0, failed: int = 0, refused: int = 0, cost: int = 1000
) -> Arm:
    return Arm(turns, escalated, failed, refused, cost * turns)


@pytest.mark.parametrize(
    ("active", "canary", "elapsed", "action", "reason"),
    [
        (arm(200), arm(40), 60, "wait", "40 turns so far"),
        (arm(200), arm(40), HALF_AN_HOUR, "promote", "40 turns were no worse"),
        (arm(200), arm(3), HALF_AN_HOUR, "promote", "only 3 turns"),
        (arm(3), arm(200), HALF_AN_HOUR, "promote", "only 3 turns"),
        (arm(200, escalated=10), arm(40, escalated=5), 60, "abort", "escalationRate 5% → 12%"),
        (arm(200, escalated=10), arm(40, escalated=4), 60, "wait", ""),
        (arm(200), arm(40, escalated=2), 60, "wait", ""),
        (arm(200), arm(40, escalated=3), 60, "abort", "escalationRate 0% → 8%"),
        (arm(200, failed=2), arm(40, failed=9), 60, "abort", "errorRate 1% → 22%"),
        (arm(200, refused=4), arm(40, refused=30), 60, "abort", "refusalRate 2% → 75%"),
        (arm(200), arm(40, cost=1501), 60, "abort", "costPerTurn"),
        (arm(200), arm(40, cost=1500), 60, "wait", ""),
        (arm(200, cost=0), arm(40, cost=1), 60, "abort", "costPerTurn"),
        (arm(200), arm(19, failed=19), 60, "wait", ""),
        (arm(19), arm(40, failed=40), 60, "wait", ""),
        (arm(200), arm(5, failed=5), HALF_AN_HOUR, "abort", "errorRate 0% → 100%"),
        (arm(200), arm(5, cost=9000), HALF_AN_HOUR, "promote", "only 5 turns"),
        (arm(0), arm(40, failed=40), HALF_AN_HOUR, "promote", "only 0 turns"),
    ],
)
def test_a_verdict_and_its_reason(
    active: Arm, canary: Arm, elapsed: float, action: str, reason: str
) -> None:
    verdict = judge(RULES, active=active, canary=canary, elapsed_seconds=elapsed)
    assert verdict.action == action
    assert reason in verdict.reason


@given(
    turns=st.integers(0, 500),
    share=st.floats(0, 1),
    elapsed=st.floats(0, 7200),
    cost=st.integers(0, 10**9),
)
def test_a_canary_that_does_the_same_is_never_aborted(
    turns: int, share: float, elapsed: float, cost: int
) -> None:
    same = Arm(turns, int(turns * share), turns - int(turns * share), 0, turns * cost)
    verdict = judge(RULES, active=same, canary=same, elapsed_seconds=elapsed)
    assert verdict.action == ("promote" if elapsed >= HALF_AN_HOUR else "wait")


@pytest.mark.parametrize(
    "document",
    [
        '{"share": "0%"}',
        '{"share": "101%"}',
        '{"share": "ten"}',
        '{"abortOn": {"errorRate": "0.5x"}}',
    ],
)
def test_shares_and_factors_that_make_no_sense_are_refused(document: str) -> None:
    with pytest.raises(ValidationError, match="such as"):
        Canary.model_validate_json(document)
