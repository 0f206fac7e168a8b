from __future__ import annotations

from interlock.breakers.admission import AdmissionShare, is_admitted
from interlock.breakers.escalation_rate import EscalationPolicy, EscalationRate

POLICY = EscalationPolicy(
    above=0.2,
    recover_below=0.1,
    min_conversations=20,
    window=1800.0,
    floor=0.1,
    recover_step=0.1,
    recover_every=300.0,
)
NOW = 1_000_000.0


def turns(rate: EscalationRate, count: int, *, every: int, now: float = NOW) -> list[str]:
    """Ends one turn of so many conversations, of which every so-manieth is escalated."""
    changes = []
    for number in range(count):
        escalated = every > 0 and number % every == every - 1
        change = rate.record(f"conv_{now}_{number}", now, escalated=escalated)
        if change is not None:
            changes.append(change.state)
    return changes


def test_25_percent_halve_admission() -> None:
    rate = EscalationRate(POLICY)
    assert turns(rate, 20, every=4) == ["open"]
    assert rate.admission.share == 0.5
    assert rate.status.why == "5 of 20 conversations were escalated; 50% of new ones are admitted"


def test_20_percent_and_few_conversations_are_no_reason() -> None:
    rate = EscalationRate(POLICY)
    assert turns(rate, 100, every=5) == []
    assert turns(EscalationRate(POLICY), 19, every=1) == []


def test_a_conversation_counts_once_and_stays_escalated() -> None:
    rate = EscalationRate(POLICY)
    for _ in range(30):
        assert rate.record("conv_1", NOW, escalated=True) is None
    rate.record("conv_1", NOW, escalated=False)
    assert rate.rate(NOW) == (1, 1)
    assert rate.rate(NOW + 1801) == (0, 0)


def test_it_is_halved_again_by_a_new_sample_down_to_the_floor() -> None:
    rate, shares = EscalationRate(POLICY), []
    for number in range(6):
        turns(rate, 20, every=4, now=NOW + number)
        shares.append(rate.admission.share)
    assert shares == [0.5, 0.25, 0.125, 0.1, 0.1, 0.1]


def test_it_recovers_step_by_step_and_closes_at_the_end() -> None:
    rate, shares, states = EscalationRate(POLICY), [], []
    turns(rate, 20, every=4)
    for number in range(1, 7):
        change = rate.refresh(NOW + number * 300)
        shares.append(rate.admission.share)
        states.append(None if change is None else change.state)
    assert shares == [0.6, 0.7, 0.8, 0.9, 1.0, 1.0]
    assert states == [None, None, None, None, "closed", None]


def test_it_does_not_recover_between_the_two_rates() -> None:
    rate = EscalationRate(POLICY)
    turns(rate, 20, every=4)
    turns(rate, 20, every=6, now=NOW + 299)  # 15 %
    rate.refresh(NOW + 310)
    assert rate.admission.share == 0.5


def test_a_trip_by_hand_stays() -> None:
    rate = EscalationRate(POLICY)
    rate.trip(NOW, who="ops", why="x")
    assert rate.refresh(NOW + 1e6) is None
    assert rate.admission.share == 0.5
    rate.reset(NOW, who="ops", why="y")
    assert rate.admission.share == 1.0
    rate.disable(NOW, who="ops", why="z")
    assert turns(rate, 40, every=1) == []


def test_who_is_admitted_at_a_share_is_admitted_at_every_higher_one() -> None:
    names = [f"conv_{number}" for number in range(2000)]
    half = {name for name in names if is_admitted(name, 0.5)}
    assert 900 < len(half) < 1100
    assert half <= {name for name in names if is_admitted(name, 0.6)}
    assert all(is_admitted(name, 1.0) for name in names)
    assert not any(is_admitted(name, 0.0) for name in names)


def test_a_share_recovers_for_all_the_time_that_has_passed() -> None:
    share = AdmissionShare()
    share.halve(NOW, floor=0.1)
    share.recover(NOW + 650, step=0.1, every=300)
    assert share.share == 0.7
    share.recover(NOW + 899, step=0.1, every=300)
    assert share.share == 0.7
    share.recover(NOW + 900, step=0.1, every=300)
    assert share.share == 0.8
