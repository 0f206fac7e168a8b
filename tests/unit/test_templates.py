from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.templates import (
    TemplateFault,
    attributes_of,
    compile_template,
    line_of,
    render,
    render_value,
    undeclared,
)

CONTEXT = {"session": {"name": "Ada", "age": 36, "tags": ["a"], "none": None}, "company": "N"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{ session.name }}.", "Hello Ada."),
        ("{% if session.vip is defined %}vip{% endif %}", ""),
        ("{{ session.vip | default('no') }}", "no"),
        (
            "{{ 2000000 ** 2 }} {{ 2000 * 3 }} {{ session.name * 3 }}",
            "4000000000000 6000 AdaAdaAda",
        ),
        ("<b>{{ '<i>' }}</b>", "<b><i></b>"),
        ("one\n  {% if true %}\n  two\n  {% endif %}\nthree\n", "one\n  two\nthree\n"),
    ],
)
def test_a_template_is_rendered_as_plain_text(text: str, expected: str) -> None:
    assert render(compile_template(text), CONTEXT) == expected


UNRENDERABLE = [
    ("{{ nobody }}", "undefined"),
    ("{{ session.nobody }}", "nobody"),
    ("{{ session.nobody.name }}", "no attribute 'nobody'"),
    ("{{ session.__class__ }}", "unsafe|undefined"),
    ("{{ session.tags.append(1) }}", "unsafe"),
    ("{{ 1 / 0 }}", "division by zero"),
    ("{{ session.name + 1 }}", "concatenate"),
    ("{{ session.age | round('x') }}", "interpreted as an integer|str"),
    ("{{ range(10 ** 9) }}", "Range too big"),
    ("{{ '%d' | format('x') }}", "a real number is required"),
    ("{{ session.name.encode('nonsense') }}", "unknown encoding"),
    ("{% include 'x' %}", "no loader"),
    ("{{ 9 ** 9999 }}", "power beyond 1000"),
    ("{{ session.name * 10 ** 9 }}", "more than 1000 times"),
    ("{{ 2000 * session.tags }}", "more than 1000 times"),
    ("{{ session.name | center(10 ** 15) }}", "MemoryError"),
    ("{% if company %}{{ company | no_such_filter }}{% endif %}", "No filter named"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
]


@pytest.mark.parametrize(("text", "words"), UNRENDERABLE)
def test_whatever_goes_wrong_while_rendering_is_a_fault(text: str, words: str) -> None:
    with pytest.raises(TemplateFault, match=words):
        render(compile_template(text), CONTEXT)


@pytest.mark.parametrize(("text", "words"), UNRENDERABLE)
def test_a_value_fails_in_the_same_ways(text: str, words: str) -> None:
    with pytest.raises(TemplateFault, match=words):
        render_value(text, CONTEXT)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{{ a", 1),
        ("one\n{% if x %}\nthree", 3),
        ("one\n{{ a b }}\n", 2),
        ("{{ a | no_such_filter }}", 1),
        ("one\n\n{% for %}", 3),
        ("{% endif %}", 1),
        ("{{ " + "(" * 3000 + "a" + ")" * 3000 + " }}", 1),
        ("{{ " + "9" * 5000 + " }}", 1),
        ("{% for a in b %}" * 30 + "{% endfor %}" * 30, 1),
    ],
)
def test_a_template_that_cannot_be_compiled_is_a_fault_on_its_line(text: str, line: int) -> None:
    with pytest.raises(TemplateFault) as caught:
        compile_template(text)
    assert caught.value.line == line
    assert caught.value.message


@given(st.text(alphabet="{}%#-| abxif()'\"\n.[]+0", max_size=40))
def test_any_text_is_a_template_or_a_fault(text: str) -> None:
    for check in (compile_template, undeclared, lambda text: attributes_of(text, "a")):
        with suppress(TemplateFault):
            check(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ session.age }}", 36),
        ("  {{ session.age }}\n", 36),
        ("{{- session.age -}}", 36),
        ("{{ session.tags }}", ["a"]),
        ("{{ session.none }}", None),
        ("{{ session }}", CONTEXT["session"]),
        ("{{ session.age > 18 }}", True),
        ("{{ session.age }} years", "36 years"),
        ("{{ session.age }}{{ session.age }}", "3636"),
        ("plain", "plain"),
        ("", ""),
        ("{{ session.vip | default(0) }}", 0),
    ],
)
def test_a_lone_expression_keeps_its_type(text: str, expected: Any) -> None:
    assert render_value(text, CONTEXT) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain", set()),
        ("{{ a }}{{ b.c }}{{ d['e'] }}", {"a", "b", "d"}),
        ("{% set a = 1 %}{{ a }}", set()),
        ("{% for x in a %}{{ x }}{{ loop.index }}{% endfor %}", {"a"}),
        ("{% if a is defined %}{% endif %}", {"a"}),
        ("{{ a | default(b) }}", {"a", "b"}),
        ("{# {{ a }} #}{% raw %}{{ b }}{% endraw %}", set()),
        ("{{ range(3) }}{{ dict() }}", set()),
    ],
)
def test_the_names_that_a_template_needs_are_known_without_rendering(
    text: str, names: set[str]
) -> None:
    assert undeclared(text) == names


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{{ firm }}", 1),
        ("a firm\n{{ firmly }}\n{{ firm }}", 3),
        ("{% if x %}\n\n{% for y in firm %}{% endfor %}{% endif %}", 3),
        ("{{ firm }}\n{{ firm }}", 1),
        ("no such name", 1),
    ],
)
def test_a_name_is_found_on_the_line_that_reads_it(text: str, line: int) -> None:
    assert line_of(text, "firm") == line


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("{{ input.a }}{{ input['b'] }}", {"a", "b"}),
        ("{{ input.a.b }}", {"a"}),
        ("{{ other.a }}{{ input }}{{ input[key] }}{{ input[0] }}", set()),
        ("{% if input.c is defined %}{{ 'x' ~ input.d }}{% endif %}", {"c", "d"}),
    ],
)
def test_the_attributes_that_a_template_reads_are_known(text: str, attributes: set[str]) -> None:
    assert attributes_of(text, "input") == attributes


@pytest.mark.parametrize("check", [undeclared, lambda text: attributes_of(text, "a")])
def test_a_broken_template_has_no_names(check: Any) -> None:
    with pytest.raises(TemplateFault):
        check("{{ a")
