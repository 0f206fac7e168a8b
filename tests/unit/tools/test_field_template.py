from __future__ import annotations

from typing import Any

import pytest

from interlock.templates import TemplateFault
from interlock.tools.field_template import ABSENT, InvalidInput, compile_field, to_text


def value(text: str, **input: Any) -> Any:
    return compile_field(text).value({"input": input, "env": {"TOKEN": "t0"}})


@pytest.mark.parametrize("given", [1, 1.5, True, None, "x", [1], {"a": [None]}])
def test_a_single_expression_keeps_the_type(given: Any) -> None:
    assert value("{{ input.x }}", x=given) == given
    assert value("  {{- input.x -}} ", x=given) == given


def test_a_text_with_something_around_an_expression_is_a_text() -> None:
    assert value("n={{ input.x }}", x=1) == "n=1"
    assert value("{{ input.a }}{{ input.b }}", a=1, b=2) == "12"
    assert value("{{ input.a }}, {{ input.b }}", a=True, b=None) == "true, "
    assert value("Bearer {{ env.TOKEN }}") == "Bearer t0"
    assert value("plain") == "plain"
    assert value("") == ""


def test_lists_and_objects_become_json_in_a_text() -> None:
    assert value("q:{{ input.x }}", x=["ä", {"b": 1}]) == 'q:["ä",{"b":1}]'


@pytest.mark.parametrize(
    "text", ["{{ input.x }}", "{{ input.x | upper }}", "{{ input.x.y }}", "{{ input['x'] }}"]
)
def test_a_single_expression_over_an_absent_input_is_absent(text: str) -> None:
    assert value(text) is ABSENT


def test_a_default_keeps_a_field_from_being_absent() -> None:
    assert value("{{ input.x | default(3) }}") == 3


def test_an_absent_input_inside_a_longer_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="x"):
        value("n={{ input.x }}")


def test_an_expression_that_fails_is_refused() -> None:
    with pytest.raises(InvalidInput):
        value("{{ input.x + 1 }}", x="a")
    with pytest.raises(InvalidInput, match="unsafe"):
        value("{{ input.x.__class__.mro() }}", x="a")


@pytest.mark.parametrize("text", ["{{ input. }}", "{{ input.x", "{% if %}"])
def test_a_broken_template_does_not_compile(text: str) -> None:
    with pytest.raises(TemplateFault):
        compile_field(text)


def test_what_is_not_json_is_no_text() -> None:
    with pytest.raises(TypeError):
        to_text(object())
