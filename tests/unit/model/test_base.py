from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from interlock.model.base import Document, Duration, EnvRef, Name, TextOrFile, ValueOrEnv

DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("1s", timedelta(seconds=1)),
        ("1.5s", timedelta(seconds=1.5)),
        ("0.5ms", timedelta(microseconds=500)),
        ("5m", timedelta(minutes=5)),
        ("1h", timedelta(hours=1)),
        ("365d", timedelta(days=365)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert DURATION.validate_python(text) == expected
    assert DURATION.validate_python(expected) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "must be a time such as"),
        ("10", "must be a time such as"),
        (10, "must be a time such as"),
        (None, "must be a time such as"),
        ("10 s", "must be a time such as"),
        ("-1s", "must be a time such as"),
        ("1e3s", "must be a time such as"),
        (".5s", "must be a time such as"),
        ("1s\n", "must be a time such as"),
        ("٣s", "must be a time such as"),
        ("1w", "must be a time such as"),
        ("0s", "must be longer than 0"),
        ("0.0000001ms", "must be longer than 0"),
        ("366d", "must be 365d at most"),
        ("999999999999d", "must be 365d at most"),
        ("9" * 400 + "d", "must be a time such as"),
    ],
)
def test_any_other_value_is_no_duration(value: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        DURATION.validate_python(value)


@given(st.from_regex(r"[0-9.]{1,30}(ms|s|m|h|d|)", fullmatch=True))
def test_a_duration_is_between_nothing_and_a_year(text: str) -> None:
    try:
        duration = DURATION.validate_python(text)
    except ValidationError:
        return
    assert timedelta(0) < duration <= timedelta(days=365)


@pytest.mark.parametrize("name", ["a", "A1", "get_order", "get-order", "x" * 64])
def test_a_name_is_one_that_the_api_takes_for_a_tool(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "1a", "_a", "-a", "a b", "a.b", "ä", "a\n", "x" * 65])
def test_any_other_text_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


class Example(Document):
    """A document."""

    some_key: int = 1
    names: tuple[str, ...] = ()


def test_keys_are_in_camel_case() -> None:
    assert Example.model_validate_json('{"someKey": 2}').some_key == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"someKey": "2"}',
        '{"someKey": 2.0}',
        '{"someKey": true}',
        '{"somekey": 2}',
        '{"names": "a"}',
    ],
)
def test_types_and_keys_are_strict(text: str) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate_json(text)


def test_a_document_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Example().some_key = 3


@pytest.mark.parametrize(
    ("adapter", "key"), [(TypeAdapter(ValueOrEnv), "env"), (TypeAdapter(TextOrFile), "file")]
)
def test_a_value_is_a_text_or_says_where_it_is(adapter: TypeAdapter[Any], key: str) -> None:
    assert adapter.validate_python("plain") == "plain"
    assert getattr(adapter.validate_python({key: "NAME"}), key) == "NAME"
    for wrong in (1, None, ["x"], {}, {"other": "x"}, {key: ""}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


@pytest.mark.parametrize("name", ["1A", "A-B", "", "A B", "$A"])
def test_an_environment_variable_has_a_name_that_a_shell_can_set(name: str) -> None:
    with pytest.raises(ValidationError):
        EnvRef(env=name)
