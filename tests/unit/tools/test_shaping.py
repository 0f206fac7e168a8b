from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from interlock.tools.shaping import BYTES_PER_TOKEN, project, shrink

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=400),
    lambda children: st.lists(children) | st.dictionaries(st.text(max_size=60), children),
    max_leaves=60,
)


def size(value: Any) -> int:
    return len(to_json(value))


@given(json_values, st.integers(50, 400))
@settings(max_examples=150)
def test_any_json_fits_afterwards_and_is_untouched_if_it_fitted(value: Any, tokens: int) -> None:
    shaped = shrink(value, tokens)
    assert size(shaped.data) <= tokens * BYTES_PER_TOKEN
    assert from_json(to_json(shaped.data)) == shaped.data
    if size(value) <= tokens * BYTES_PER_TOKEN:
        assert shaped.data == value
        assert shaped.cut == ()
    else:
        assert shaped.cut
    assert shrink(value, tokens) == shaped


@pytest.mark.parametrize(
    "value",
    [
        10**4000,
        "\x00" * 10_000,
        "📦" * 10_000,
        {"k" * 10_000: 1},
        {str(n): n for n in range(50_000)},
        [[[["x" * 100] * 30] * 30] * 30],
        from_json(b"[" * 150 + b"]" * 150),
        [{"a": {"b": ["c" * 90] * 9}} for _ in range(900)],
        ["x" * 1_000_000],
        {"a": {}, "b": [], "c": "x" * 1000, "d": None},
    ],
)
def test_freaks_fit_as_well(value: Any) -> None:
    shaped = shrink(value, 50)
    assert size(shaped.data) <= 150
    assert shaped.cut
    assert size(list(shaped.cut)) < 2000


def test_a_long_text_is_cut_with_a_mark_where_it_stands() -> None:
    shaped = shrink({"id": "ORD-1", "note": "x" * 10_000, "eta": "2026-11-24"}, 1000)
    assert shaped.data["id"] == "ORD-1"
    assert shaped.data["eta"] == "2026-11-24"
    kept = shaped.data["note"].count("x")
    missing = 10_000 - kept
    assert 2700 < kept < 3000
    assert shaped.data["note"] == f"{'x' * kept}… [{missing} characters cut]"
    assert shaped.cut == (f"note: {missing} characters cut",)


def test_texts_are_cut_before_lists() -> None:
    shaped = shrink([{"id": n, "body": "x" * 5000} for n in range(5)], 1000)
    assert [item["id"] for item in shaped.data] == [0, 1, 2, 3, 4]
    assert shaped.cut == ("[*].body: 5 texts cut",)


def test_a_list_keeps_its_first_items() -> None:
    items = [{"id": f"ORD-{n}", "total": n} for n in range(2000)]
    shaped = shrink({"items": items, "count": 2000}, 1000)
    kept = len(shaped.data["items"])
    assert shaped.data == {"items": items[:kept], "count": 2000}
    assert size(shaped.data) > 2700
    assert shaped.cut == (f"items: {kept} of 2000 shown",)


def test_lists_inside_the_items_of_a_list_are_named_together() -> None:
    orders = [{"id": n, "lines": list(range(500))} for n in range(3)]
    shaped = shrink({"orders": orders}, 300)
    assert len(shaped.data["orders"]) == 3
    assert shaped.cut == ("orders[*].lines: 3 lists cut",)


def test_one_cut_in_an_item_names_that_item() -> None:
    events = [{"note": "short"} for _ in range(5)]
    events[3] = {"note": "x" * 9000}
    [cut] = shrink({"events": events}, 300).cut
    assert cut.startswith("events[3].note: ")


def test_an_object_loses_its_last_fields_last() -> None:
    shaped = shrink({f"field_{n:03}": n for n in range(300)}, 100)
    kept = len(shaped.data)
    assert list(shaped.data) == [f"field_{n:03}" for n in range(kept)]
    assert shaped.cut == (f"result: {kept} of 300 fields shown",)


def test_many_texts_become_short_before_a_field_is_lost() -> None:
    shaped = shrink({f"field_{n:03}": "x" * 190 for n in range(30)}, 1000)
    assert len(shaped.data) == 30


def test_a_wide_tree_of_cuts_is_told_in_few_words() -> None:
    shaped = shrink({f"list_{n}": list(range(1000)) for n in range(40)}, 400)
    assert len(shaped.cut) == 11
    assert shaped.cut[-1] == "30 more places"


@pytest.mark.parametrize("value", [float("inf"), [float("nan")], {"a": -float("inf")}, "\ud800"])
def test_what_json_cannot_carry_is_left_out_and_named(value: Any) -> None:
    shaped = shrink(value, 1000)
    assert shaped.data is None
    assert shaped.cut[0].startswith("everything: not representable as JSON")


def test_a_text_may_speak_of_infinity() -> None:
    assert shrink({"a": "Infinity and NaN"}, 50).data == {"a": "Infinity and NaN"}


def test_a_projection_keeps_its_fields() -> None:
    select = jmespath.compile("{id: id, lines: lines[].sku}")
    shaped = project({"id": 1, "secret": 2, "lines": [{"sku": "a", "x": 1}]}, select)
    assert shaped.data == {"id": 1, "lines": ["a"]}
    assert shaped.cut == ()


def test_without_a_projection_everything_is_kept() -> None:
    assert project({"a": 1}, None).data == {"a": 1}


def test_a_projection_that_finds_nothing_says_so() -> None:
    shaped = project({"id": 1}, jmespath.compile("order.id"))
    assert shaped.data is None
    assert shaped.cut == ("select 'order.id' matched nothing",)
    assert project(None, jmespath.compile("order.id")).cut == ()


def test_a_projection_that_fails_shows_nothing_of_the_data() -> None:
    shaped = project({"id": 1, "secret": 2}, jmespath.compile("length(id)"))
    assert shaped.data is None
    assert shaped.cut[0].startswith("select 'length(id)' does not fit the data: ")
