from __future__ import annotations

import pytest

from interlock.config.listing import unreadable
from interlock.config.source import Source
from interlock.reload.guard import refuse_emptiness, refuse_removals

FOUR = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("after", "most", "refused"),
    [
        (FOUR, 0.5, False),
        (("a", "b", "c"), 0.5, False),
        (("a", "b"), 0.5, False),
        (("a",), 0.5, True),
        ((), 0.5, True),
        (("a", "x", "y", "z"), 0.5, True),
        (("a", "b", "c"), 0.0, True),
        ((*FOUR, "e"), 0.0, False),
        ((), 1.0, False),
    ],
)
def test_only_so_many_agents_may_go(after: tuple[str, ...], most: float, refused: bool) -> None:
    found = refuse_removals(FOUR, after, most=most)
    assert (found is not None) == refused


def test_the_finding_names_who_would_go_and_the_way_out() -> None:
    found = refuse_removals(FOUR, ("a",), most=0.5)
    assert found is not None
    assert found.code == "ILK-R003"
    assert found.message == (
        "3 of 4 agents would be removed: b, c, d; reload.maxRemoved allows 50%"
    )
    assert found.hint == "if this is meant, apply it with: interlock reload --allow-removals"


def test_many_names_are_cut() -> None:
    found = refuse_removals([f"a{n:03}" for n in range(200)], (), most=0.5)
    assert found is not None
    assert "a000, a001, a002, a003, a004 and 195 more" in found.message


def test_no_file_at_all_is_refused() -> None:
    found = refuse_emptiness(Source({}))
    assert found is not None
    assert found.code == "ILK-R003"
    assert refuse_emptiness(Source({"a": b""})) is None
    # That nothing could be read is something else.
    assert refuse_emptiness(Source({}, (unreadable("a", "gone"),))) is None
