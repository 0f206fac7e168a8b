from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.errors import ToolDefinitionError
from interlock.model.tool import Tool
from interlock.tools.field_template import InvalidInput
from interlock.tools.http_request import Request, compile_request, env_names
from tests.unit.tools.declared import http

ENV = {"SHOP_URL": "http://shop.test", "TOKEN": "t0", "UNUSED": "secret"}


def render(tool: Tool, /, *, key: str | None = None, **input: Any) -> Request:
    assert tool.http is not None
    return compile_request(tool, tool.http, ENV).render(input, idempotency_key=key)


def test_query_parameters_are_encoded_and_added() -> None:
    tool = http(url="/find?fixed=1", query={"q a": "{{ input.q }}", "n": "{{ input.n }}"})
    assert render(tool, q="a&b=c/ä", n=3).url == (
        "http://shop.test/find?fixed=1&q%20a=a%26b%3Dc%2F%C3%A4&n=3"
    )


def test_a_query_parameter_that_renders_to_nothing_is_left_out() -> None:
    tool = http(url="/find", query={"a": "{{ input.a }}", "b": "{{ input.b }}", "c": ""})
    assert render(tool).url == "http://shop.test/find"
    assert render(tool, a=None, b=False).url == "http://shop.test/find?b=false"


def test_an_optional_input_inside_a_longer_text_must_be_there() -> None:
    tool = http(url="/find", query={"since": "after:{{ input.since }}"})
    with pytest.raises(InvalidInput, match="since"):
        render(tool)


@pytest.mark.parametrize("bound", [None, "", "absent"])
def test_a_bound_input_without_a_value_never_widens_the_request(bound: Any) -> None:
    tool = http(
        url="/orders",
        query={"customer": "{{ input.customer }}"},
        tool={"bind": {"customer": "{{ session.customerId }}"}},
    )
    input = {} if bound == "absent" else {"customer": bound}
    with pytest.raises(InvalidInput, match="'customer' has no value in this conversation"):
        render(tool, **input)


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\rb", "a\x00b", "\x7f"])
def test_a_header_cannot_be_split(value: str) -> None:
    tool = http(headers={"X-Customer": "{{ input.customer }}"})
    with pytest.raises(InvalidInput, match="invalid value for header 'X-Customer'"):
        render(tool, order_id="1", customer=value)


@pytest.mark.parametrize("input", [{}, {"customer": None}, {"customer": " "}])
def test_a_header_must_have_a_value(input: dict[str, Any]) -> None:
    tool = http(headers={"X-Customer": "{{ input.customer }}"})
    with pytest.raises(InvalidInput, match="header 'X-Customer' has no value"):
        render(tool, order_id="1", **input)


def test_headers_are_rendered_as_text() -> None:
    tool = http(headers={"Authorization": "Bearer {{ env.TOKEN }}", "X-N": "{{ input.n }}"})
    headers = render(tool, order_id="1", n=5).headers
    assert headers == {"Accept": "application/json", "Authorization": "Bearer t0", "X-N": "5"}


def test_a_header_is_sent_once_however_it_is_written() -> None:
    headers = {"accept": "text/csv", "content-type": "application/vnd.shop+json"}
    request = render(http("mutation", headers=headers), order_id="1")
    assert request.headers.getall("Accept") == ["text/csv"]
    assert request.headers.getall("Content-Type") == ["application/vnd.shop+json"]


def test_the_body_keeps_types_and_leaves_absent_fields_out() -> None:
    body = {
        "n": "{{ input.n }}",
        "items": "{{ input.items_ | list }}",
        "note": "{{ input.note }}",
        "none": "{{ input.none }}",
        "text": "order {{ input.n }}",
    }
    request = render(http("mutation", url="/x", body=body), n=2, items_=["a"], none=None)
    assert request.body is not None
    assert json.loads(request.body) == {"n": 2, "items": ["a"], "none": None, "text": "order 2"}
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_without_a_body_the_whole_input_is_sent(method: str) -> None:
    request = render(http("mutation", method=method), order_id="1", note="ä\ud83d")
    assert request.body is not None
    assert json.loads(request.body) == {"order_id": "1", "note": "ä\ud83d"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_method_without_a_body_sends_none_unless_declared(method: str) -> None:
    assert render(http("mutation", method=method), order_id="1").body is None
    assert render(http("mutation", method=method, body={"a": "b"}), order_id="1").body == (
        b'{"a":"b"}'
    )


def test_a_body_that_is_not_json_is_refused() -> None:
    tool = http("mutation", url="/x", body={"a": "{{ input.items_ | map('upper') }}"})
    with pytest.raises(InvalidInput, match="the body is not JSON"):
        render(tool, items_=["a"])


def test_the_idempotency_key_is_carried_where_the_tool_says() -> None:
    tool = http("mutation", tool={"idempotency": {"header": "Idempotency-Key"}})
    assert render(tool, key="look:1", order_id="1").headers["Idempotency-Key"] == "look:1"
    assert "Idempotency-Key" not in render(tool, order_id="1").headers
    assert "look:1" not in render(http("mutation"), key="look:1", order_id="1").headers.values()


def test_env_names_are_those_of_all_templates() -> None:
    tool = http(headers={"A": "{{ env.TOKEN }}"}, query={"b": "{{ env['KEY'] }}"}, body={})
    assert env_names(tool) == {"SHOP_URL", "TOKEN", "KEY"}


def test_only_variables_that_are_named_can_be_read() -> None:
    with pytest.raises(InvalidInput):
        render(http(url="/x", query={"q": "a{{ env[input.name] }}"}), name="UNUSED")


@pytest.mark.parametrize(
    ("keys", "where", "says"),
    [
        ({"url": "/{{ input. }}"}, "http.url", "expected"),
        ({"query": {"q": "{{ env.MISSING }}"}}, "http.query.q", "MISSING is not set"),
        ({"headers": {"A": "{{"}}, "http.headers.A", "unexpected"),
        ({"headers": {"A b": "x"}}, "http.headers.A b", "correct its name"),
        ({"headers": {"Content-Length": "0"}}, "http.headers.Content-Length", "cannot be set"),
        ({"body": {"x": "{% if %}"}}, "http.body.x", "Expected"),
    ],
)
def test_a_faulty_declaration_names_tool_key_and_way_out(
    keys: dict[str, Any], where: str, says: str
) -> None:
    tool = http(**keys)
    assert tool.http is not None
    with pytest.raises(ToolDefinitionError) as found:
        compile_request(tool, tool.http, ENV)
    assert (found.value.tool, found.value.key) == ("look", where)
    assert says.lower() in found.value.problem.lower()
    assert str(found.value).startswith(f"tool 'look', {where}: ")
