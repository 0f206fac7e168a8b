"""A change that is tried on some conversations first: whose turns count, and how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock.config.source import Source
from interlock.model.turn import Outcome, TurnResult
from interlock.reload.last_good import LastGood
from interlock.reload.supervisor import NoCanary
from interlock.reload.trial import Trial
from tests.unit.reload.conversations import conversation
from tests.unit.reload.fakes import Bench, bench
from tests.unit.reload.sources import broken_source, make_source
from tests.unit.reload.waiting import until

RULES = "reload: {canary: {share: 50%, for: 1h, minTurns: 5}}\n"
SOON = RULES.replace("1h", "1ms")


def tried(text: str, *, settings: str = RULES) -> Source:
    return make_source(text=text, settings=settings)


ONE, TWO, THREE = (tried(text) for text in ("One.", "Two.", "Three."))


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path, ONE) as made:
        yield made


def trial_of(made: Bench) -> Trial:
    trial = made.supervisor.generations.trial
    assert trial is not None
    return trial


def result(outcome: Outcome = "resolved", *, cost_nano: int = 1000) -> TurnResult:
    return TurnResult(outcome, "Hello.", "end_turn", 1, 1, 0, 10, cost_nano, 0)


async def turns(made: Bench, outcome: Outcome, *, on: str, count: int) -> None:
    """Turns in new conversations that run on the canary or on the active configuration."""
    generations, number = made.supervisor.generations, 0
    while count:
        number += 1
        one = conversation(f"conv_{number}")
        async with generations.pin(one) as held:
            if (held is generations.active) == (on == "active"):
                generations.ended(held, one, result(outcome))
                count -= 1


async def test_a_change_gets_its_share_of_the_new_conversations(made: Bench) -> None:
    outcome = await made.offer(TWO)
    assert outcome is not None
    assert (outcome.status, outcome.active, outcome.digest) == ("canary", ONE.digest, TWO.digest)
    assert made.supervisor.known == TWO.fingerprint
    generations = made.supervisor.generations
    chosen = []
    for number in range(400):
        async with generations.pin(conversation(f"conv_{number}")) as held:
            chosen.append(held.digest)
    assert 140 < chosen.count(TWO.digest) < 260
    again = []
    for number in range(400):
        async with generations.pin(conversation(f"conv_{number}")) as held:
            again.append(held.digest)
    assert again == chosen


async def test_a_conversation_that_began_before_stays_where_it_is(made: Bench) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    await made.offer(TWO)
    generations = made.supervisor.generations
    for number in range(100):
        old = conversation(f"conv_{number}", created_at=began)
        async with generations.pin(old) as held:
            assert held is generations.active
            generations.ended(held, old, result())
    assert trial_of(made).active.turns == 0


async def test_conversations_with_an_agent_that_is_gone_in_it_stay_away(tmp_path: Path) -> None:
    both = make_source("support", "sales", settings=RULES)
    async with bench(tmp_path, both) as made:
        await made.offer(make_source("support", settings=RULES))
        generations = made.supervisor.generations
        for number in range(100):
            async with generations.pin(conversation(f"conv_{number}", agent="sales")) as held:
                assert held is generations.active


async def test_one_that_does_worse_is_aborted_and_says_why(made: Bench, tmp_path: Path) -> None:
    await made.offer(TWO)
    await turns(made, "resolved", on="active", count=5)
    await turns(made, "failed", on="canary", count=5)
    await until(lambda: bool(made.told.outcomes) and made.told.outcomes[-1][1].reason == "canary")
    assert made.supervisor.generations.trial is None
    assert made.supervisor.active.digest == ONE.digest
    rejected = made.supervisor.standing.rejected
    assert rejected is not None
    assert (rejected.reason, rejected.digest) == ("canary", TWO.digest)
    (finding,) = rejected.findings
    assert finding.diagnostic.code == "ILK-R007"
    assert "errorRate 0% → 100%, more than 1.5x" in finding.diagnostic.message
    newest = LastGood(tmp_path).newest()
    assert newest is not None
    assert newest.source == ONE
    # It is known, so it is not tried again by itself; but it is when it is asked for.
    assert made.supervisor.known == TWO.fingerprint
    assert (await made.reload(TWO)).status == "canary"


async def test_one_that_does_well_becomes_active_when_its_time_is_up(tmp_path: Path) -> None:
    async with bench(tmp_path, tried("One.", settings=SOON)) as made:
        await made.reload(tried("Two.", settings=SOON), who="ops", why="because")
        await until(lambda: made.supervisor.generations.trial is None)
        await until(lambda: len(made.told.activations) == 2)
        record = made.told.activations[-1]
        assert (record.digest, record.who) == (made.supervisor.active.digest, "ops")
        assert record.why is not None
        assert record.why.startswith("because; promoted canary, its time is up")
        assert [outcome.status for _, outcome in made.told.outcomes] == ["canary", "applied"]


async def test_another_change_is_tried_instead(made: Bench) -> None:
    await made.offer(TWO)
    first = trial_of(made).held
    await made.offer(THREE)
    assert trial_of(made).held.digest == THREE.digest
    assert trial_of(made).held.number == first.number + 1
    assert made.supervisor.active.digest == ONE.digest


async def test_a_broken_file_does_not_end_it(made: Bench) -> None:
    await made.offer(TWO)
    outcome = await made.offer(broken_source())
    assert outcome is not None
    assert outcome.status == "rejected"
    assert trial_of(made).held.digest == TWO.digest
    await made.supervisor.end_canary(promote=True)
    assert made.supervisor.active.digest == TWO.digest
    assert made.supervisor.standing.rejected is not None


async def test_files_that_are_as_they_were_end_it(made: Bench) -> None:
    await made.offer(TWO)
    outcome = await made.offer(ONE)
    assert outcome is not None
    assert outcome.status == "unchanged"
    assert made.supervisor.generations.trial is None
    assert made.supervisor.standing.rejected is None


async def test_the_same_files_again_change_nothing_about_it(made: Bench) -> None:
    await made.offer(TWO)
    trial = trial_of(made)
    assert (await made.reload(TWO)).status == "canary"
    assert trial_of(made) is trial


@pytest.mark.parametrize("running", [True, False])
async def test_it_can_be_skipped(made: Bench, running: bool) -> None:
    if running:
        await made.offer(TWO)
    outcome = await made.reload(TWO, skip_canary=True)
    assert (outcome.status, outcome.active) == ("applied", TWO.digest)
    assert made.supervisor.generations.trial is None


async def test_who_goes_back_is_back_at_once(made: Bench) -> None:
    await made.reload(TWO, skip_canary=True)
    await made.offer(THREE)
    outcome = await made.supervisor.activate(ONE)
    assert (outcome.status, outcome.active) == ("applied", ONE.digest)
    assert made.supervisor.generations.trial is None


async def test_an_operator_promotes_it(made: Bench) -> None:
    await made.offer(TWO)
    outcome = await made.supervisor.end_canary(promote=True, who="ops", why="urgent")
    assert (outcome.status, outcome.active, outcome.previous) == (
        "applied",
        TWO.digest,
        ONE.digest,
    )
    assert made.told.activations[-1].why == "promoted canary, by ops: urgent"


async def test_an_operator_aborts_it(made: Bench) -> None:
    await made.offer(TWO)
    outcome = await made.supervisor.end_canary(promote=False, who="ops")
    assert (outcome.status, outcome.reason, outcome.active) == ("rejected", "canary", ONE.digest)


async def test_there_must_be_one_to_be_ended(made: Bench) -> None:
    with pytest.raises(NoCanary):
        await made.supervisor.end_canary(promote=True)


async def test_a_turn_on_an_aborted_one_ends_on_it(made: Bench) -> None:
    await made.offer(TWO)
    generations, trial, number = made.supervisor.generations, trial_of(made), 0
    while not trial.takes(conversation(f"conv_{number}")):
        number += 1
    async with generations.pin(conversation(f"conv_{number}")) as held:
        await made.supervisor.end_canary(promote=False)
        assert generations.draining == (held,)
        async with generations.pin(conversation(f"conv_{number}")) as next_turn:
            assert next_turn is generations.active
    assert generations.draining == ()


async def test_a_restart_does_not_promote_it(made: Bench, tmp_path: Path) -> None:
    await made.offer(TWO)
    async with bench(tmp_path, TWO) as after:
        assert after.supervisor.active.digest == ONE.digest
        assert trial_of(after).held.digest == TWO.digest
        assert after.supervisor.standing.rejected is None


async def test_a_restart_does_not_forget_that_it_was_aborted(made: Bench, tmp_path: Path) -> None:
    await made.offer(TWO)
    await made.supervisor.end_canary(promote=False, why="slow")
    async with bench(tmp_path, TWO) as after:
        assert after.supervisor.active.digest == ONE.digest
        assert after.supervisor.generations.trial is None
        rejected = after.supervisor.standing.rejected
        assert rejected is not None
        assert rejected.reason == "canary"
        assert "slow" in rejected.findings[0].diagnostic.message
    async with bench(tmp_path, THREE) as changed:
        assert changed.supervisor.active.digest == THREE.digest


async def test_a_promoted_one_is_active_after_a_restart(made: Bench, tmp_path: Path) -> None:
    await made.offer(TWO)
    await made.supervisor.end_canary(promote=True)
    async with bench(tmp_path, TWO) as after:
        assert after.supervisor.active.digest == TWO.digest
        assert after.supervisor.generations.trial is None
