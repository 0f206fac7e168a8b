from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.config.lint.sample import bound_claims, read_claims, sample_session
from interlock.model.tool import Tool
from interlock.templates import compile_template, render
from tests.unit.config.lint.declared import said

# The tools of the base bind `customerId`.


def prompt(text: str, **agent: Any) -> dict[str, Any]:
    return {"prompts": {"system": text}, **agent}


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("{{ session.name }}", ["name"]),
        ("{{ session['name'] }} {{ session.tier }}", ["name", "tier"]),
        ("{{ session.customerId }}", []),
        ("{% if session.name is defined %}{{ session.name }}{% endif %}", []),
        ("{{ session.name | default('you') }}", []),
        ("{{ session.get('name') }}{% for key in session.keys() %}{{ key }}{% endfor %}", []),
        ("{% if session.vip is defined %}{{ session.name }}{% endif %}", ["name"]),
        ("{% if 'name' in session %}{{ session.name }}{% endif %}", []),
        ("{{ session.name if session.name is defined else 'you' }}", []),
        ("{{ session.address.city }}", ["address"]),
        ("no claims", []),
    ],
)
def test_a_claim_that_may_be_missing_is_told(text: str, claims: list[str]) -> None:
    found = said("ILK-C024", agent=prompt(text))
    assert [each.message.split("session's '")[1].split("'")[0] for each in found] == claims
    assert {each.severity for each in found} <= {"warning"}


def test_every_prompt_is_rendered_and_told_at_its_place() -> None:
    text = "{{ session.name }}"
    agent = {
        "prompts": {"system": text, "planner": {"file": "planner.md"}},
        "reinforcement": [{"every": 8, "text": text}],
    }
    found = said("ILK-C024", agent=agent, files={"agents.d/planner.md": f"Plan.\nFor {text}."})
    assert {(each.where, each.location.path) for each in found} == {
        ("prompts.system", "agents.d/support.yaml"),
        ("", "agents.d/planner.md"),
        ("reinforcement[0].text", "agents.d/support.yaml"),
    }
    [planner] = [each for each in found if each.location.path == "agents.d/planner.md"]
    assert (planner.location.line, planner.location.column) == (2, 8)


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("{{ company.name }}", ["error"]),
        ("{{ company / 2 }}", ["error"]),
        ("{{ 1 / 0 }}", ["error"]),
        ("{{ [].x.y }}", ["error"]),
        # Where a claim plays a part, it may be the sample that is to blame.
        ("{{ company / 2 }}{{ session.customerId }}", ["warning"]),
        ("{{ company }} {{ agent.name }} {{ agent['description'] }}", []),
    ],
)
def test_a_prompt_that_cannot_be_rendered(text: str, severities: list[str]) -> None:
    assert [each.severity for each in said("ILK-C025", agent=prompt(text))] == severities


@pytest.mark.parametrize(
    "use",
    [
        "{{ session.x + 5 }} {{ 5 - session.x }} {{ session.x // 2 }} {{ session.x ** 1 }}",
        "{% if session.x > 18 and session.x <= 'b' %}old{% endif %}",
        "{% for item in session.x %}{{ item.name }}{{ item[0] }}{% endfor %}",
        "{% for key, value in session.x.items() %}{{ key }}{{ value }}{% endfor %}",
        "{{ session.x.strftime('%d.%m.') }} {{ session.x | upper }} {{ session.x | length }}",
        "{{ session.x | round }} {{ session.x | int }} {{ session.x | float }}",
        "{{ session.x | first }} {{ session.x | join(', ') }} {{ session.x | tojson }}",
        "{{ '%d of %s' % (session.x, session.x) }} {{ '%.2f' | format(session.x) }}",
        "{% if 5 in session.x %}yes{% endif %} {{ range(session.x) | list }}",
        "{{ session.x | sum }} {{ session.x | sort }} {{ session.x | abs }}",
    ],
)
def test_whatever_a_prompt_takes_a_claim_for_the_sample_is_that(use: str) -> None:
    guarded = f"{{% if session.x is defined %}}{use}{{% endif %}}"
    assert said("ILK-C025", agent=prompt(guarded)) == []
    assert said("ILK-C024", agent=prompt(guarded)) == []


def test_an_attribute_that_agents_do_not_have_is_told_in_every_branch() -> None:
    text = "{% if session.vip is defined %}{{ agent.nmae }}{% endif %}{{ agent.items() }}"
    [found] = said("ILK-C008", agent=prompt(text))
    assert "agent.nmae" in found.message
    assert found.hint == "did you mean 'agent.name'?"


def test_variables_are_those_of_the_service_and_of_the_agent() -> None:
    agent = prompt("{{ company + 1 }}", variables={"company": 1})
    assert said("ILK-C025", agent=agent) == []
    assert said("ILK-C025", agent=prompt("{{ company + 1 }}")) != []


def test_a_template_that_is_told_otherwise_is_not_told_again() -> None:
    for text in ("{{ session.name", "{{ nobody }} {{ session.name }}"):
        assert said("ILK-C024", agent=prompt(text)) == []
        assert said("ILK-C025", agent=prompt(text)) == []


def test_the_claims_that_tools_bind_are_read_from_their_templates() -> None:
    declared = {
        "name": "x",
        "category": "lookup",
        "description": "x",
        "whenToUse": "x",
        "bind": {"a": "{{ session.one }}{{ session['two'] }}", "b": "{{ broken", "c": "plain"},
        "http": {"url": "http://x"},
    }
    assert bound_claims([Tool.model_validate(declared)]) == {"one", "two"}
    assert read_claims("{{ session.items() }}{{ other.x }}") == set()


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_a_sample_has_every_attribute(name: str) -> None:
    template = compile_template(f"{{{{ session.x.{name} is defined }}}}")
    assert render(template, {"session": sample_session(["x"])}) == "True"
