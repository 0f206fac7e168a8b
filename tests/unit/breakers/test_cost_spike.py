from __future__ import annotations

import pytest

from interlock.breakers.cost_spike import HOUR, CostSpike, CostSpikePolicy
from interlock.model.base import NANO

POLICY = CostSpikePolicy(factor=2.0, recover_below=1.5, hours=24, min_hours=6, min_nano=5 * NANO)
NOW = 1_000_000 * 300.0


def spiked(hours: list[float], last: float, policy: CostSpikePolicy = POLICY) -> CostSpike:
    """After hours that cost so much in USD, oldest first, and a last one."""
    spike = CostSpike(policy)
    for number, usd in enumerate([*hours, last]):
        spike.add(NOW - (len(hours) - number) * HOUR, int(usd * NANO))
    return spike


def test_twice_the_median_trips() -> None:
    spike = spiked([4, 4, 5, 4, 4, 90], 8.01)
    seen = spike.spike(NOW)
    assert (seen.hour, seen.baseline) == (8_010_000_000, 4 * NANO)
    change = spike.refresh(NOW)
    assert change is not None
    assert change.why == "the last hour cost 8.01 USD, an hour usually costs 4.00"


@pytest.mark.parametrize(
    ("hours", "last"),
    [
        ([4.0] * 6, 8.0),
        ([4.0] * 5, 100.0),
        ([4.0] * 3 + [0.0] * 9, 100.0),
        ([1.0] * 12, 4.9),
        ([], 1000.0),
    ],
    ids=["not more than twice", "cold start", "hours without cost", "too little", "nothing known"],
)
def test_there_is_no_verdict_without_reason(hours: list[float], last: float) -> None:
    assert spiked(hours, last).refresh(NOW) is None


def test_hours_longer_ago_do_not_count() -> None:
    spike = spiked([100.0] * 20 + [4.0] * 24, 9.0)
    assert spike.refresh(NOW) is not None


def test_it_closes_well_below_what_tripped_it() -> None:
    spike = spiked([4.0] * 10, 9.0)
    spike.refresh(NOW)
    spike.add(NOW + 1200, 7 * NANO)
    assert spike.refresh(NOW + 1200) is None
    # The 9 USD are past, the 7 USD are not: 1.75 times the median.
    assert spike.refresh(NOW + HOUR) is None
    change = spike.refresh(NOW + HOUR + 1800)
    assert change is not None
    assert change.state == "closed"


def test_after_a_reset_there_is_no_verdict_for_an_hour() -> None:
    spike = spiked([4.0] * 10, 20.0)
    spike.refresh(NOW)
    spike.reset(NOW, who=None, why="a campaign")
    spike.add(NOW + 1800, 20 * NANO)
    assert spike.refresh(NOW + 1800) is None
    spike.add(NOW + HOUR + 600, 50 * NANO)
    assert spike.refresh(NOW + HOUR + 600) is not None


def test_an_operator_has_the_last_word() -> None:
    spike = spiked([4.0] * 10, 1.0)
    spike.trip(NOW, who="ops", why="x")
    assert spike.refresh(NOW + 10 * HOUR) is None
    assert spike.status.state == "open"
    spike.disable(NOW, who="ops", why="y")
    spike.add(NOW, 500 * NANO)
    assert spike.refresh(NOW) is None
    spike.enable(NOW, who="ops", why="z")
    assert spike.refresh(NOW) is not None
