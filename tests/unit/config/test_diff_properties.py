"""What holds for the difference of any two configurations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from interlock.config.diff import Change, diff
from interlock.config.diff_lines import describe, excerpt, summary
from interlock.config.snapshot import Snapshot
from interlock.guardrails import SETTINGS
from tests.unit.config.edits import (
    ALL_EDITS,
    Edit,
    edited,
    edits,
    meaning,
    price,
    project,
    rewritten,
    snapshot,
)

FLIPPED = {"added": "removed", "removed": "added", "changed": "changed"}
BASE = project()


def valid(made: Sequence[Edit]) -> Snapshot:
    found = snapshot(edited(BASE, made))
    assume(found is not None)
    assert found is not None
    return found


def between(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    return diff(before, after, price, guardrails=SETTINGS)


def told(of: Snapshot) -> str:
    return json.dumps(meaning(of), sort_keys=True)


@settings(max_examples=30, deadline=None)
@given(edits)
def test_nothing_differs_from_itself(made: list[Edit]) -> None:
    assert between(valid(made), valid(made)) == ()


@pytest.mark.parametrize("edit", ALL_EDITS, ids=lambda edit: "/".join(map(str, edit.path)))
def test_one_edit_differs_if_and_only_if_it_means_something(edit: Edit) -> None:
    before, after = snapshot(BASE), snapshot(edited(BASE, [edit]))
    assert before is not None
    if after is not None:
        assert (between(before, after) == ()) == (told(before) == told(after))


@settings(max_examples=150, deadline=None)
@given(edits, edits)
def test_nothing_differs_if_and_only_if_both_mean_the_same(
    first: list[Edit], second: list[Edit]
) -> None:
    before, after = valid(first), valid(second)
    assert (between(before, after) == ()) == (told(before) == told(after))


@settings(max_examples=50, deadline=None)
@given(edits, edits)
def test_the_other_way_round_is_the_mirror_image(first: list[Edit], second: list[Edit]) -> None:
    before, after = valid(first), valid(second)
    there = {
        (change.subject, change.path, change.kind, change.before, change.after)
        for change in between(before, after)
    }
    back = {
        (change.subject, change.path, FLIPPED[change.kind], change.after, change.before)
        for change in between(after, before)
    }
    assert there == back


@settings(max_examples=50, deadline=None)
@given(edits, edits)
def test_every_change_is_named_once(first: list[Edit], second: list[Edit]) -> None:
    changes = between(valid(first), valid(second))
    named = Counter((change.subject, change.path) for change in changes)
    assert not [name for name, times in named.items() if times > 1]
    # What is added or removed as a whole is not also told part by part.
    whole = {(change.subject, change.path) for change in changes if change.kind != "changed"}
    for change in changes:
        for subject, path in whole - {(change.subject, change.path)}:
            inside = not path or change.path.startswith((f"{path}.", f"{path}["))
            assert subject != change.subject or not inside


@settings(max_examples=50, deadline=None)
@given(edits, st.data())
def test_who_wrote_the_files_and_how_makes_no_difference(
    made: list[Edit], data: st.DataObject
) -> None:
    before = valid(made)
    after = snapshot(rewritten(edited(BASE, made), data.draw))
    assert after is not None
    assert before.digest != after.digest
    assert between(before, after) == ()


@settings(max_examples=50, deadline=None)
@given(edits, edits)
def test_every_change_can_be_told_and_no_secret_is(first: list[Edit], second: list[Edit]) -> None:
    changes = between(valid(first), valid(second))
    lines = [describe(change) for change in changes]
    assert len(set(lines)) == len(lines)
    assert all("\n" not in line for line in lines)
    text = "\n".join([*lines, *(line for change in changes for line in excerpt(change))])
    text += json.dumps([change.to_json() for change in changes])
    assert "secret-" not in text
    assert "not shown" not in text.replace("which is not shown", "")
    assert summary(changes)[0].startswith(str(len(changes)) if changes else "no changes")


@settings(max_examples=50, deadline=None)
@given(edits, edits)
def test_subjects_stay_together_and_widenings_come_first(
    first: list[Edit], second: list[Edit]
) -> None:
    changes = between(valid(first), valid(second))
    subjects = [change.subject for change in changes]
    assert subjects == sorted(subjects, key=subjects.index)
    widened = {change.subject for change in changes if change.widening}
    order = [subject in widened for subject in subjects]
    assert order == sorted(order, reverse=True)
    for subject in widened:
        marks = [change.widening for change in changes if change.subject == subject]
        assert marks == sorted(marks, reverse=True)
