"""What a database cannot hold is replaced, everything else is kept exactly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.errors import StoreError
from interlock.store.encoding import (
    clean_text,
    decode_json,
    encode_json,
    encode_time,
    pack_files,
    unpack_files,
)

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_lone_surrogate_and_a_nul_become_the_replacement_character() -> None:
    assert clean_text("a\ud800b\0c") == "a\ufffdb\ufffdc"


def test_two_halves_of_a_pair_become_one_character() -> None:
    assert clean_text("\ud83d\ude00") == "\N{GRINNING FACE}"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_valid_text_is_kept(text: str) -> None:
    assert clean_text(text) == text


@given(st.text(alphabet=st.characters(categories=["Cs", "L", "Cc"])))
def test_cleaned_text_is_always_valid_unicode(text: str) -> None:
    assert "\0" not in clean_text(text).encode().decode()


@given(_JSON)
def test_json_is_kept_exactly(value: Any) -> None:
    assert decode_json(encode_json(value)) == value


@given(_JSON)
def test_encoded_json_is_json_for_everyone(value: Any) -> None:
    assert json.loads(encode_json(value)) == value


def test_surrogates_deep_in_json_are_replaced() -> None:
    value = {"a": [{"k\udc00": "x\ud800"}], "n": (1, "\ud83d\ude00")}
    assert decode_json(encode_json(value)) == {
        "a": [{"k\ufffd": "x\ufffd"}],
        "n": [1, "\N{GRINNING FACE}"],
    }


def test_what_json_has_no_number_for_becomes_null() -> None:
    assert encode_json([float("nan"), float("inf")]) == "[null,null]"


def test_deep_nesting_can_be_read_back() -> None:
    value: Any = 1
    for _ in range(250):
        value = [value]
    assert decode_json(encode_json(value)) == value


def _circle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [object(), b"\xff", _circle()], ids=["object", "bytes", "circle"])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(StoreError, match="not JSON"):
        encode_json({"value": value})


def test_times_are_text_in_utc_that_sorts() -> None:
    east = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2)))
    assert encode_time(east) == "2026-11-22T10:00:00.000000+00:00"
    assert encode_time(east) < encode_time(datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=UTC))


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.binary()))
def test_files_are_kept_byte_for_byte(files: dict[str, bytes]) -> None:
    assert unpack_files(pack_files(files)) == files
