"""A schema whose changes are all called narrowing passes no input that was refused before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from interlock.config.diff import Change
from tests.unit.config.edits import changes, project, with_edit

BASE = project()
NAMES = ("a", "b", "title")

texts = st.sampled_from(["", "x", "xy", "1"])
numbers = st.integers(-1, 3)
leaves = st.one_of(texts, numbers, st.booleans(), st.none())
values = st.one_of(
    leaves, st.lists(leaves, max_size=3), st.dictionaries(st.sampled_from(NAMES), leaves)
)
inputs_of_a_call = st.dictionaries(st.sampled_from(NAMES), values)

_KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.one_of(
        st.sampled_from(["string", "integer", "object", "array"]),
        st.lists(st.sampled_from(["string", "integer", "null"]), min_size=1, unique=True),
    ),
    "enum": st.lists(leaves, min_size=1, max_size=3, unique_by=lambda value: (type(value), value)),
    "const": leaves,
    "pattern": st.sampled_from(["x", "^$"]),
    "minLength": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
    "minimum": numbers,
    "exclusiveMaximum": numbers,
    "minItems": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "minProperties": st.integers(0, 2),
    "required": st.lists(st.sampled_from(NAMES), unique=True),
    "description": texts,
    "default": leaves,
}


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> Any:
    keywords = dict(_KEYWORDS)
    if depth:
        inner = schemas(depth - 1)
        keywords |= {
            "properties": st.dictionaries(st.sampled_from(NAMES), inner),
            "patternProperties": st.dictionaries(st.just("^a"), inner, min_size=1),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "items": st.one_of(st.booleans(), inner),
            "not": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "unevaluatedProperties": st.booleans(),
            "propertyNames": st.just({"maxLength": 1}),
        }
    common = ["properties", "required", "type", "additionalProperties"] if depth else ["type"]
    names = st.lists(st.sampled_from([*keywords, *common * 2]), max_size=4, unique=True)
    return {name: draw(keywords[name]) for name in draw(names)}


@st.composite
def changed(draw: st.DrawFn, schema: Any, depth: int = 2) -> Any:
    """The schema with a keyword put, replaced or taken away, here or further inside."""
    result = dict(schema) if isinstance(schema, dict) else {}
    inside = [
        (keyword, name)
        for keyword in ("properties", "patternProperties")
        for name in result.get(keyword, {})
    ] + [(keyword, "") for keyword in ("items", "additionalProperties", "not") if keyword in result]
    if depth and inside and draw(st.booleans()):
        keyword, name = draw(st.sampled_from(inside))
        if name:
            held = result[keyword]
            result[keyword] = {**held, name: draw(changed(held[name], depth - 1))}
        else:
            result[keyword] = draw(changed(result[keyword], depth - 1))
    elif result and draw(st.booleans()):
        del result[draw(st.sampled_from(sorted(result)))]
    else:
        result |= draw(schemas(depth))
    return result


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    before = draw(schemas())
    after = draw(changed(before))
    if draw(st.booleans()):
        after = draw(changed(after))
    return before, after


def between(before: Any, after: Any) -> tuple[Change, ...]:
    """The changes of a tool whose input has these schemas, beside what every tool's has."""
    always = {"type": "object"}
    path = "tools/list_orders/input"
    return changes(
        with_edit(BASE, path, {**before, **always}), with_edit(BASE, path, {**after, **always})
    )


def passes(schema: Any, instance: Any) -> bool:
    """As the runtime checks a call."""
    whole = {"additionalProperties": False, **schema, "type": "object"}
    return Draft202012Validator(whole).is_valid(instance)


@settings(max_examples=200, deadline=None)
@given(pairs(), st.lists(inputs_of_a_call, max_size=12))
def test_what_is_not_called_widening_passes_nothing_new(
    pair: tuple[Any, Any], inputs: list[Any]
) -> None:
    before, after = pair
    found = between(before, after)
    narrowing = bool(found) and not any(change.widening for change in found)
    event(f"narrowing: {narrowing}")
    if narrowing or not found:
        for instance in inputs:
            assert passes(before, instance) or not passes(after, instance)


OBJECT = {"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, OBJECT | {"properties": {}}),
        (OBJECT, OBJECT | {"required": ["a", "b"]}),
        (OBJECT, OBJECT | {"properties": {"a": {"type": "string"}}}),
        (OBJECT, OBJECT | {"properties": {"a": {"type": "string", "pattern": "x"}, "b": {}}}),
        ({"additionalProperties": True}, {"additionalProperties": False}),
        ({"additionalProperties": {}}, {"additionalProperties": {"minimum": 1}}),
        ({"properties": {"a": {}}}, {"properties": {"a": {"properties": {"x": False}}}}),
        ({"properties": {"a": {}}}, {"properties": {"a": {"items": {"type": "null"}}}}),
        (
            {"properties": {"a": {"items": {"maxLength": 3}}}},
            {"properties": {"a": {"items": {"maxLength": 2}}}},
        ),
        ({"properties": {"a": {"enum": [1, 2]}}}, {"properties": {"a": {"enum": [2]}}}),
        ({"properties": {"a": {"title": "A"}}}, {"properties": {"a": {"description": "B"}}}),
    ],
)
def test_plain_narrowing_is_not_called_widening_but_the_way_back_is(
    before: Any, after: Any
) -> None:
    assert not [change for change in between(before, after) if change.widening]
    annotated = "title" in str(before)
    assert any(change.widening for change in between(after, before)) is not annotated


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Where one part's meaning depends on another, nothing is plain.
        (
            {"$defs": {"d": {}}, "properties": {"a": {"$ref": "#/$defs/d"}, "b": {}}},
            {"$defs": {"d": {}}, "properties": {"a": {"$ref": "#/$defs/d"}, "b": {"minimum": 1}}},
        ),
        (
            {"properties": {"a": {}}, "patternProperties": {"a": {}}},
            {"properties": {}, "patternProperties": {"a": {}}},
        ),
        ({"not": {"minProperties": 2}}, {"not": {"minProperties": 3}}),
        (
            {"properties": {"a": {"additionalProperties": False}}},
            {"properties": {"a": {"additionalProperties": False, "properties": {"x": {}}}}},
        ),
        (
            {"properties": {"a": {"uniqueItems": True}}},
            {"properties": {"a": {"uniqueItems": False}}},
        ),
    ],
)
def test_what_may_loosen_is_called_widening(before: Any, after: Any) -> None:
    assert any(change.widening for change in between(before, after))
