from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.model.result import ToolResult
from interlock.model.tool import HttpCall
from interlock.tools.http_answer import Answer, read_answer

HTTP = HttpCall(url="http://shop.test", not_found=(404, 410))


def read(
    status: int,
    body: Any = b"",
    *,
    mutation: bool = False,
    content_type: str = "application/json",
    **keys: Any,
) -> ToolResult:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status, content_type, keys.pop("charset", None), content, **keys)
    return read_answer(answer, HTTP, mutation=mutation)


@pytest.mark.parametrize("body", [{"a": 1}, [1], "x", 0, False, None])
def test_json_is_the_data(body: Any) -> None:
    assert read(200, body) == ToolResult("success", body)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_empty_success_has_no_data(status: int) -> None:
    assert read(status, b" \n") == ToolResult("success")


def test_a_mutation_that_succeeds_is_applied() -> None:
    assert read(201, {"id": 1}, mutation=True).effect == "applied"
    assert read(204, mutation=True).effect == "applied"


def test_text_is_the_data_as_text() -> None:
    result = read(200, "päck".encode("latin-1"), content_type="text/plain", charset="latin-1")
    assert result == ToolResult("success", "päck")
    assert read(200, b"ok", content_type="text/plain", charset="no-such").data == "ok"


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "application/hal+json"])
def test_json_is_recognised_by_any_name(content_type: str) -> None:
    assert read(200, b'\xef\xbb\xbf{"a":1}', content_type=content_type).data == {"a": 1}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a":', "application/json"),
        (b"\x89PNG", "image/png"),
        (b"NaN", "application/json"),
        (b'"\\ud800"', "application/json"),
        (b"[" * 5000 + b"]" * 5000, "application/json"),
    ],
)
def test_a_success_that_is_not_json_is_an_error(body: bytes, content_type: str) -> None:
    result = read(200, body, content_type=content_type)
    assert (result.status, result.retryable, result.effect) == ("error", False, "none")
    assert "something that is not JSON" in (result.message or "")
    result = read(200, body, content_type=content_type, mutation=True)
    assert (result.status, result.retryable, result.effect) == ("error", False, "unknown")
    assert "do not repeat it" in (result.message or "")


def test_not_found_is_an_answer_with_its_reason() -> None:
    result = read(404, {"detail": "order ORD-9 does not exist"})
    assert result.status == "not_found"
    assert result.data == {"detail": "order ORD-9 does not exist"}
    assert result.message == ("the service answered 404 Not Found: order ORD-9 does not exist")
    assert read(410).status == "not_found"
    assert read(404, {"x": "y" * 5000}).data is None
    assert read(404, b"<h1>gone</h1>", content_type="text/html").message == (
        "the service answered 404 Not Found"
    )
    assert read(404, mutation=True).effect == "none"


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        ({"title": "Bad", "detail": "no stock"}, "application/problem+json", "no stock"),
        ({"title": "Bad"}, "application/problem+json", "Bad"),
        ({"message": "no"}, "application/json", "no"),
        ({"error": {"code": 7}}, "application/json", '{"code":7}'),
        ({"detail": [{"loc": ["x"]}]}, "application/json", '[{"loc":["x"]}]'),
        ({"odd": 1}, "application/json", '{"odd":1}'),
        (b"plain  reason\n", "text/plain", "plain reason"),
    ],
)
def test_a_rejection_says_why(body: Any, content_type: str, says: str) -> None:
    for mutation in (False, True):
        result = read(422, body, content_type=content_type, mutation=mutation)
        assert result == ToolResult(
            "error", message=f"the service answered 422 Unprocessable Entity: {says}"
        )


def test_a_reason_is_short() -> None:
    assert len(read(400, {"detail": "x" * 100_000}).message or "") < 400
    assert read(400, b"<html>" * 99, content_type="text/html").message == (
        "the service answered 400 Bad Request"
    )
    assert read(599).message == "the service answered 599"


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        *((status, False) for status in (400, 401, 409, 501, 505)),
        *((status, True) for status in (429, 500, 502, 503, 504)),
    ],
)
def test_a_failed_read_changed_nothing_and_may_pass(status: int, retryable: bool) -> None:
    result = read(status)
    assert (result.status, result.retryable, result.effect) == ("error", retryable, "none")


@pytest.mark.parametrize(
    ("status", "retryable", "effect"),
    [
        (400, False, "none"),
        (409, False, "none"),
        (429, True, "none"),
        (500, False, "unknown"),
        (501, False, "unknown"),
        (502, False, "unknown"),
        (503, False, "unknown"),
        (504, False, "unknown"),
        (301, False, "unknown"),
        (303, False, "unknown"),
        (307, False, "none"),
        (308, False, "none"),
    ],
)
def test_a_failed_mutation_says_whether_it_may_have_happened(
    status: int, retryable: bool, effect: str
) -> None:
    result = read(status, mutation=True)
    assert (result.status, result.retryable, result.effect) == ("error", retryable, effect)
    assert ("do not repeat it" in (result.message or "")) == (effect == "unknown")


def test_a_mutation_with_a_key_may_be_sent_again_to_a_service_that_was_unavailable() -> None:
    result = read_answer(Answer(503, "", None, b""), HTTP, mutation=True, repeatable=True)
    assert (result.status, result.retryable, result.effect) == ("error", True, "none")
    result = read_answer(Answer(500, "", None, b""), HTTP, mutation=True, repeatable=True)
    assert result.effect == "unknown"


def test_a_wait_that_is_asked_for_is_told() -> None:
    assert "asks to wait 120 s" in (read(429, retry_after_seconds=120.0).message or "")


def test_an_answer_that_is_too_large_is_an_error() -> None:
    result = read(200, b"[1,", complete=False)
    assert result.message == "the service's answer is larger than 1048576 bytes"
    assert not result.retryable
    assert read(200, b"[1,", complete=False, mutation=True).effect == "unknown"
    assert read(404, b"[1,", complete=False).status == "not_found"
