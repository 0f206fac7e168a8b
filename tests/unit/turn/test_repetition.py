from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.agent import Repetition
from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import Tool
from interlock.turn.repetition import Loop, RepetitionLog, digest


def tool(name: str = "get_order", category: str = "lookup", **loop: Any) -> Tool:
    return Tool.model_validate(
        {
            "name": name,
            "category": category,
            "description": "It does.",
            "whenToUse": "Always.",
            "python": {"function": "plugins/x.py:f"},
            "loop": loop,
        },
        strict=False,
    )


def gives(data: Any, status: Any = "success", message: str | None = None) -> ToolResult:
    return ToolResult(status, data, message, attempts=1)


def log(**limits: int) -> RepetitionLog:
    return RepetitionLog(Repetition(**limits))


@given(st.integers(min_value=1, max_value=8), st.data())
def test_a_cycle_of_any_length_trips_within_three_rounds(period: int, data: st.DataObject) -> None:
    name = st.sampled_from(["get_order", "get_shipping"])
    calls = data.draw(
        st.lists(
            st.tuples(name, st.integers(0, 100)), min_size=period, max_size=period, unique=True
        )
    )
    record = log()
    rounds = itertools.islice(itertools.cycle(calls), 3 * period)
    loops = [
        record.record(tool(name), {"order_id": number}, gives({"of": [name, number]}))
        for name, number in rounds
    ]
    assert loops[: 2 * period] == [None] * (2 * period)
    first = loops[2 * period]
    assert first is not None
    assert (first.kind, first.count) == ("identical_calls", 3)


def test_other_calls_in_between_do_not_hide_a_repetition() -> None:
    record = log()
    for number in range(14):
        data = gives({"page": number})
        assert record.record(tool("list_orders", "search"), {"page": number}, data) is None
    for _ in range(2):
        assert record.record(tool(), {"order_id": "ORD-1"}, gives("sent")) is None
    loop = record.record(tool(), {"order_id": "ORD-1"}, gives("sent"))
    assert loop == Loop("identical_calls", "get_order", 3)


def test_different_arguments_with_ever_the_same_result_trip() -> None:
    record = log()
    loops = [record.record(tool(), {"order_id": n}, gives("see parent order")) for n in range(6)]
    assert loops[:5] == [None] * 5
    assert loops[5] == Loop("same_result", "get_order", 6)


@given(
    st.integers(min_value=1, max_value=8),
    st.lists(st.integers(0, 3), max_size=30),
    st.integers(2, 5),
)
def test_a_cycle_trips_in_time_whatever_is_called_in_between(
    period: int, noise: list[int], identical: int
) -> None:
    """By the last call of the round that the limit names, and not before that round begins."""
    record = log(identical_calls=identical, same_result=100, polls=100)
    extra = iter(enumerate(noise))
    for turn in range(identical):
        for number in range(period):
            for other, _ in itertools.islice(extra, noise[number] if number < len(noise) else 0):
                assert record.record(tool("other"), {"n": other}, gives({"n": other})) is None
            loop = record.record(tool(), {"order_id": number}, gives({"of": number}))
            assert (loop is not None) == (turn == identical - 1)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=11))
def test_polling_trips_only_where_three_results_are_the_same(results: list[int]) -> None:
    record = log()
    for number, result in enumerate(results):
        loop = record.record(tool(), {"order_id": "ORD-1"}, gives({"percent": result}))
        assert (loop is not None) == (results[: number + 1].count(result) >= 3)


@given(st.lists(st.integers(10, 10_000), min_size=6, max_size=6, unique=True), st.booleans())
def test_failures_that_only_name_their_arguments_are_the_same_result(
    numbers: list[int], nested: bool
) -> None:
    record, loop = log(), None
    for number in numbers:
        name = f"ORD-{number}"
        data = {"detail": {"asked": name, "of": [number]}} if nested else None
        asked = {"order_id": name, "number": number}
        assert loop is None
        loop = record.record(tool(), asked, gives(data, "not_found", f"there is no order {name}"))
    assert loop == Loop("same_result", "get_order", 6)


def test_many_orders_in_the_same_state_are_no_loop() -> None:
    record = log()
    for number in range(30):
        data = gives({"id": f"ORD-{number}", "status": "sent"})
        assert record.record(tool(), {"order_id": f"ORD-{number}"}, data) is None


def test_polling_is_allowed_while_the_result_changes_up_to_its_own_cap() -> None:
    record = log()
    loops = [record.record(tool(), {"order_id": 1}, gives({"percent": n})) for n in range(12)]
    assert loops[:11] == [None] * 11
    assert loops[11] == Loop("polls", "get_order", 12)


def test_changing_many_things_gives_many_equal_confirmations() -> None:
    record = log()
    mutation = tool("add_note", "mutation")
    for number in range(30):
        assert record.record(mutation, {"note": number}, gives({"ok": True})) is None


def test_the_same_change_again_and_again_trips() -> None:
    record = log()
    mutation = tool("add_note", "mutation")
    loops = [record.record(mutation, {"note": "a"}, gives({"ok": True})) for _ in range(3)]
    assert [loop is not None for loop in loops] == [False, False, True]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (gives("a"), gives("b")),
        (gives("a"), gives("a", "not_found")),
        (gives(None, "error", "down"), gives(None, "error", "not valid")),
    ],
    ids=["data", "status", "message"],
)
def test_another_result_is_not_the_same_call(one: ToolResult, other: ToolResult) -> None:
    record = log(identical_calls=2)
    assert record.record(tool(), {}, one) is None
    assert record.record(tool(), {}, other) is None
    assert record.record(tool(), {}, one) == Loop("identical_calls", "get_order", 2)


def test_how_long_a_call_took_and_how_often_it_was_tried_do_not_matter() -> None:
    record = log(identical_calls=2)
    record.record(tool(), {}, ToolResult("success", 1, attempts=1, latency_ms=3.0))
    assert record.record(tool(), {}, ToolResult("success", 1, attempts=2, latency_ms=9.0))


def test_two_tools_do_not_count_together() -> None:
    record = log(identical_calls=2, same_result=2)
    assert record.record(tool("get_order"), {"id": 1}, gives("x")) is None
    assert record.record(tool("get_shipping"), {"id": 1}, gives("x")) is None


def test_a_tool_says_which_inputs_are_what_is_asked_for() -> None:
    keyed = tool(key=["order_id"])
    record = log(identical_calls=2)
    assert record.record(keyed, {"order_id": 1, "note": "first"}, gives("x")) is None
    assert record.record(keyed, {"order_id": 2, "note": "first"}, gives("y")) is None
    assert record.record(keyed, {"note": "again", "order_id": 1}, gives("x")) == Loop(
        "identical_calls", "get_order", 2
    )


@pytest.mark.parametrize(
    ("loop", "inputs", "results", "expected"),
    [
        ({"maxIdentical": 5}, [1] * 5, ["x"] * 5, Loop("identical_calls", "get_order", 5)),
        ({"maxSameResult": 2}, [1, 2], ["x"] * 2, Loop("same_result", "get_order", 2)),
        ({"maxPolls": 4}, [1] * 4, [1, 2, 3, 4], Loop("polls", "get_order", 4)),
        ({"maxIdentical": 2}, [1] * 2, ["x"] * 2, Loop("identical_calls", "get_order", 2)),
    ],
)
def test_a_tool_has_limits_of_its_own(
    loop: JsonObject, inputs: list[int], results: list[Any], expected: Loop
) -> None:
    record, mine = log(), tool(**loop)
    loops = [
        record.record(mine, {"id": asked}, gives(result))
        for asked, result in zip(inputs, results, strict=True)
    ]
    assert loops[:-1] == [None] * (len(loops) - 1)
    assert loops[-1] == expected


def test_the_agents_limits_hold_for_all_other_tools() -> None:
    record = log(identical_calls=4)
    loops = [record.record(tool(), {}, gives("x")) for _ in range(4)]
    assert [loop is not None for loop in loops] == [False, False, False, True]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def turned(value: Any) -> Any:
    """The same value with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(json_values)
def test_the_order_of_keys_does_not_matter(value: Any) -> None:
    assert digest(value) == digest(turned(value))


@given(json_values, json_values)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (repr_of(one) == repr_of(other))


def repr_of(value: Any) -> str:
    """Tells true from 1, as JSON does."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{repr_of(value[key])}" for key in sorted(value)) + "}"
    return f"[{','.join(map(repr_of, value))}]" if isinstance(value, list) else repr(value)


def test_the_order_of_a_list_does_matter() -> None:
    assert digest([1, 2]) != digest([2, 1])
