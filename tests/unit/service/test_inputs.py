from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from interlock.service.inputs import NewConversation, NewMessage


def problems(model: type[NewConversation] | type[NewMessage], raw: bytes | str) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(raw)
    return [str(error["type"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "string_too_short"),
        (" \n\t ", "string_too_short"),
        ("a" * 20_001, "string_too_long"),
        ("a\0b", "nul"),
        (5, "string_type"),
        (None, "string_type"),
        (["a"], "string_type"),
    ],
)
def test_a_message_that_is_no_text_is_refused(text: Any, kind: str) -> None:
    assert problems(NewMessage, json.dumps({"text": text})) == [kind]


@pytest.mark.parametrize("raw", ['{"text": "\\ud800"}', b'{"text": "\xed\xa0\x80"}'])
def test_lone_surrogates_are_not_json(raw: str | bytes) -> None:
    assert problems(NewMessage, raw) == ["json_invalid"]


def test_white_space_around_a_message_is_dropped_and_not_counted() -> None:
    text = "a" * 20_000
    assert NewMessage.model_validate_json(json.dumps({"text": f" {text}\n"})).text == text


def test_emoji_and_other_scripts_pass() -> None:
    text = "Où est ma commande ? 📦 注文"
    assert NewMessage.model_validate_json(json.dumps({"text": text})).text == text


def test_unknown_fields_are_refused() -> None:
    assert problems(NewMessage, '{"text": "a", "model": "x"}') == ["extra_forbidden"]


def conversation(**fields: Any) -> str:
    return json.dumps({"agent": "support", **fields})


def test_a_conversation_needs_no_more_than_an_agent() -> None:
    opened = NewConversation.model_validate_json(conversation())
    assert (opened.customer_id, opened.session) == (None, {})


def test_a_session_may_hold_any_json() -> None:
    session = {"a": [1, {"b": None}], "c": 1.5, "d": True, "e": "é"}
    assert NewConversation.model_validate_json(conversation(session=session)).session == session


@pytest.mark.parametrize(
    ("session", "kind"),
    [
        ({"a": "x" * 17_000}, "session_size"),
        ({"a": float("nan")}, "not_finite"),
        ({"a": [float("inf")]}, "not_finite"),
        ({"a": [{"b": "x\0"}]}, "nul"),
        ({"a\0": 1}, "nul"),
        ([], "dict_type"),
    ],
)
def test_a_session_that_cannot_be_kept_is_refused(session: Any, kind: str) -> None:
    assert problems(NewConversation, conversation(session=session)) == [kind]


def test_a_session_is_measured_in_bytes() -> None:
    assert NewConversation.model_validate_json(conversation(session={"a": "x" * 16_000}))
    assert problems(NewConversation, conversation(session={"a": "é" * 8_300})) == ["session_size"]


@pytest.mark.parametrize("customer", ["", "  ", "x" * 201, "a\0", 7])
def test_a_customer_id_is_a_short_text(customer: Any) -> None:
    assert len(problems(NewConversation, conversation(customerId=customer))) == 1


def test_two_different_customers_are_one_too_many() -> None:
    raw = conversation(customerId="C-1", session={"customerId": "C-2"})
    assert problems(NewConversation, raw) == ["customer_mismatch"]
    agreed = conversation(customerId="C-1", session={"customerId": "C-1"})
    assert NewConversation.model_validate_json(agreed).customer_id == "C-1"
