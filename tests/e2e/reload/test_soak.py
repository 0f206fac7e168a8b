"""Random edits of a real service's files while customers write; `benchmarks.soak` has more."""

from __future__ import annotations

from benchmarks.soak.project import Texts
from benchmarks.soak.run import Plan, soak


async def test_the_service_is_as_the_files_are_and_every_message_is_answered() -> None:
    plan = Plan(edits=60, conversations=10, seed=3, texts=Texts(quiet_ms=100, resync_ms=500))
    figures = await soak(plan)
    assert figures.divergences == []
    assert figures.lost == []
    # It was about something: files of both kinds at rest, and turns all the while.
    assert figures.edits == 60
    assert 0 < figures.invalid_checkpoints < figures.checkpoints
    assert figures.applied
    assert figures.rejected
    assert figures.turns >= plan.conversations
    assert len(figures.kinds) > 10
