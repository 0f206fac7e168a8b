from __future__ import annotations

from typing import Any

import pytest

from interlock.sim.template import check_template, compile_text, compile_value
from interlock.templates import TemplateFault

NONE: frozenset[str] = frozenset()


def test_text_is_rendered() -> None:
    render = compile_text("Order {{ match.order_id }} is {{ result('t').data.status }}.")
    context = {"match": {"order_id": "ORD-1"}, "result": lambda tool: {"data": {"status": tool}}}

    assert render(context) == "Order ORD-1 is t."


def test_text_without_a_template_is_itself() -> None:
    assert compile_text("No template.")({}) == "No template."


def test_a_key_wins_over_a_method_of_the_same_name() -> None:
    render = compile_text("{{ request.items }}")

    assert render({"request": {"items": ["a"]}}) == "['a']"


def test_one_expression_keeps_its_type() -> None:
    value = {
        "number": "{{ n }}",
        "list": " {{ [n, n] }} ",
        "text": "{{ n }} pieces",
        "two": "{{ n }}{{ n }}",
        "plain": "n",
        "other": [1, None, True, "{{ s }}"],
    }

    assert compile_value(value)({"n": 5, "s": "7"}) == {
        "number": 5,
        "list": [5, 5],
        "text": "5 pieces",
        "two": "55",
        "plain": "n",
        "other": [1, None, True, "7"],
    }


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("{{ x }}", {}),
        ("{{ x }} y", {}),
        ("{{ x.y }}", {"x": None}),
        ("{{ x.y }}", {"x": {}}),
        ("{{ 1 / 0 }}", {}),
        ("{{ x() }}", {"x": 5}),
        ("{{ x.__class__.__mro__ }}", {"x": 5}),
        ("{{ x.append(1) }}", {"x": []}),
        ("{{ range(1000000) | list }}", {}),
    ],
)
def test_a_template_that_fails_is_a_template_fault(template: str, context: dict[str, Any]) -> None:
    with pytest.raises(TemplateFault):
        compile_value(template)(context)
    with pytest.raises(TemplateFault):
        compile_text(template)(context)


@pytest.mark.parametrize(
    ("template", "message", "line"),
    [
        ("{{ x", "unexpected end of template", 1),
        ("a\n{% if %}", "Expected an expression", 2),
        ("{{ usr }}", "unknown name 'usr'", 1),
        ("a\n{{ match.id }}", "match.id", 2),
    ],
)
def test_a_bad_template_is_found_before_it_is_used(template: str, message: str, line: int) -> None:
    with pytest.raises(TemplateFault, match=message) as caught:
        check_template(template, NONE)

    assert caught.value.line == line


def test_a_good_template_passes_the_check() -> None:
    check_template("{{ match.id }} {{ user }} {{ random.randint(1, 6) }}", frozenset(("id",)))
    check_template("{% for tool in tools %}{{ called(tool) }}{% endfor %}", NONE)
