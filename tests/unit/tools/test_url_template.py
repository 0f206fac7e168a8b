from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.templates import TemplateFault
from interlock.tools.field_template import InvalidInput
from interlock.tools.url_template import compile_url

ENV = {"SHOP": "https://shop.example:8443/api", "BARE": "https://shop.example"}


def render(text: str, **input: Any) -> str:
    return compile_url(text, ENV).render(input)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("ORD-1", "/api/orders/ORD-1"),
        ("ORD-1/../../admin", "/api/orders/ORD-1%2F..%2F..%2Fadmin"),
        ("../admin", "/api/orders/..%2Fadmin"),
        ("%2e%2e", "/api/orders/%252e%252e"),
        ("%2e%2e%2fadmin", "/api/orders/%252e%252e%252fadmin"),
        ("1?x=1", "/api/orders/1%3Fx%3D1"),
        ("1#top", "/api/orders/1%23top"),
        ("1;a=b", "/api/orders/1%3Ba%3Db"),
        ("..\\admin", "/api/orders/..%5Cadmin"),
        ("1 HTTP/1.1\r\nHost: evil", "/api/orders/1%20HTTP%2F1.1%0D%0AHost%3A%20evil"),
        ("Ä\x00", "/api/orders/%C3%84%00"),
        (7, "/api/orders/7"),
        (True, "/api/orders/true"),
    ],
)
def test_a_value_fills_exactly_its_place_in_the_path(value: Any, path: str) -> None:
    url = render("{{ env.SHOP }}/orders/{{ input.order_id }}", order_id=value)
    assert url == f"https://shop.example:8443{path}"


@pytest.mark.parametrize("value", ["", ".", "..", None, [], ["a"], {"a": 1}])
def test_a_value_that_would_change_the_path_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"invalid value for input\.order_id"):
        render("{{ env.SHOP }}/orders/{{ input.order_id }}", order_id=value)


def test_a_value_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"input\.order_id is missing"):
        render("{{ env.SHOP }}/orders/{{ input.order_id }}")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not valid Unicode"):
        render("{{ env.SHOP }}/{{ input.q }}", q="\ud800")


@pytest.mark.parametrize("value", ["", ".", "..", "a&b=c", "a/b", ["x", "y"]])
def test_a_value_in_the_query_may_be_anything_and_stays_one_value(value: Any) -> None:
    url = render("{{ env.SHOP }}/find?q={{ input.q }}&limit=3", q=value)
    query = urlsplit(url).query
    assert query.count("&") == 1
    assert query.endswith("&limit=3")


def test_a_question_mark_inside_a_condition_does_not_end_the_path() -> None:
    text = "{{ env.SHOP }}/a{% if input.q %}?q={{ input.q }}{% endif %}/{{ input.id }}"
    assert render(text, q="..", id="x") == "https://shop.example:8443/api/a?q=../x"
    with pytest.raises(InvalidInput, match=r"input\.id"):
        render(text, q=False, id="..")


def test_filters_do_not_get_a_value_around_the_encoding() -> None:
    for text in (
        "{{ input.x | safe }}",
        "{{ env.BARE ~ input.x }}",
        "{{ input.x if 1 else env.A }}",
    ):
        assert "/" not in urlsplit(render("{{ env.BARE }}/" + text, x="a/b")).path[1:]


def test_a_value_of_the_environment_is_inserted_as_it_is() -> None:
    assert render("{{ env['SHOP'] | trim('/') }}/x") == "https://shop.example:8443/api/x"


def test_the_text_itself_is_made_sendable() -> None:
    assert render("{{ env.BARE }}/ä b/%41?q=[1]#there") == (
        "https://shop.example/%C3%A4%20b/%41?q=[1]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ input.url }}",
        "https://{{ input.host }}/x",
        "https://shop.{{ input.tld }}/x",
        "{{ env.BARE }}{{ input.path }}",
        "{{ env.BARE }}.{{ input.tld }}/",
        "{{ env.BARE }}:{{ input.port }}/",
        "{% if input.a %}https://a.example/{% endif %}",
        "{% set base = input.url %}{{ base }}/x",
    ],
)
def test_the_host_cannot_come_from_the_input(text: str) -> None:
    with pytest.raises(TemplateFault, match="host"):
        compile_url(text, ENV)


def test_a_url_that_would_leave_the_host_after_all_is_refused() -> None:
    compiled = compile_url("https://shop.example/{{ input.x }}", ENV)
    elsewhere = replace(compiled, origin="https://shop.example:8443")
    with pytest.raises(InvalidInput, match="another host"):
        elsewhere.render({"x": "a"})


def test_a_name_that_stands_for_trust_cannot_be_given_away() -> None:
    with pytest.raises(TemplateFault, match="'env' must not be assigned to"):
        compile_url("https://shop.example/{% set env = input %}{{ env.x }}", ENV)


@pytest.mark.parametrize(
    "text",
    [
        "/orders",
        "ftp://shop.example/",
        "https:///x",
        "file:///etc",
        "http://:80/",
        "http://user@/",
        "http://shop.example:port/",
        "http://shop.example:99999/",
        "http://[::1/",
    ],
)
def test_a_url_must_be_http_and_name_a_host(text: str) -> None:
    with pytest.raises(TemplateFault, match="must begin with http"):
        compile_url(text, ENV)


def test_a_template_error_carries_its_line() -> None:
    with pytest.raises(TemplateFault) as found:
        compile_url("https://shop.example/\n{{ input. }}", ENV)
    assert found.value.line == 2


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_any_text_arrives_as_the_one_path_segment_that_it_is(value: str) -> None:
    url = render("{{ env.BARE }}/orders/{{ input.x }}/items", x=value)
    parts = urlsplit(url)
    assert parts.netloc == "shop.example"
    assert [unquote(step) for step in parts.path.split("/")] == ["", "orders", value, "items"]
    assert not parts.query
    assert not parts.fragment
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
