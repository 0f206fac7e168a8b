from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from interlock.sim import parse_rules
from interlock.sim.facts import Facts
from interlock.sim.matching import Matcher
from interlock.sim.validation import validate_request

TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("look_up", "create")]
FORMAT = {
    "format": {
        "type": "json_schema",
        "schema": {"title": "Plan", "type": "object", "additionalProperties": False},
    }
}


def call(number: int, name: str = "look_up") -> dict[str, Any]:
    block = {"type": "tool_use", "id": f"t{number}", "name": name, "input": {}}
    return {"role": "assistant", "content": [block]}


def result(number: int, data: Any, *more: str) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": f"t{number}", "content": json.dumps(data)}
    return {"role": "user", "content": [block, *({"type": "text", "text": text} for text in more)]}


def facts(*messages: dict[str, Any], headers: Any = (), **fields: Any) -> Facts:
    body = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "messages": list(messages) or [{"role": "user", "content": "Hello"}],
        **fields,
    }
    return Facts(validate_request(body, any_model=False), headers)


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def is_match(when: str, seen: Facts) -> bool:
    rules = parse_rules(f"rules: [{{name: a, when: {when}, fault: drop}}]".encode(), "sim.yaml")
    return Matcher(rules.rules).find(seen) is not None


EXECUTING = (
    user("Where is ORD-7?", "Step: look it up"),
    call(1),
    result(1, {"status": "error"}),
    call(2),
    result(2, {"status": "success"}, "Step: answer", "Remember the rules."),
)


@pytest.mark.parametrize(
    ("when", "seen", "expected"),
    [
        ("{}", facts(), True),
        ("{format: plan}", facts(output_config=FORMAT), True),
        ("{format: PLAN}", facts(output_config=FORMAT), True),
        ("{format: pla}", facts(output_config=FORMAT), False),
        ("{format: any}", facts(output_config=FORMAT), True),
        ("{format: none}", facts(output_config=FORMAT), False),
        ("{format: plan}", facts(), False),
        ("{format: any}", facts(), False),
        ("{format: none}", facts(), True),
        ("{model: sonnet}", facts(), True),
        ("{model: ^sonnet}", facts(), False),
        ("{system: kind}", facts(system="Be kind."), True),
        ("{system: kind}", facts(system=[{"type": "text", "text": "Be kind."}]), True),
        ("{system: kind}", facts(), False),
        ("{user: ell}", facts(), True),
        ("{user: '^Where is'}", facts(*EXECUTING, tools=TOOLS), True),
        ("{user: 'Step'}", facts(*EXECUTING, tools=TOOLS), False),
        ("{user: 'second'}", facts(user("first"), user("second")), True),
        ("{user: 'first'}", facts(user("first"), user("second")), False),
        ("{text: 'Remember'}", facts(*EXECUTING, tools=TOOLS), True),
        ("{text: '\"status\"'}", facts(*EXECUTING, tools=TOOLS), True),
        ("{text: 'Where'}", facts(*EXECUTING, tools=TOOLS), False),
        ("{offered: [look_up, create]}", facts(tools=TOOLS), True),
        ("{offered: [look_up, x]}", facts(tools=TOOLS), False),
        ("{notOffered: [x]}", facts(tools=TOOLS), True),
        ("{notOffered: [x, create]}", facts(tools=TOOLS), False),
        ("{called: [look_up]}", facts(*EXECUTING, tools=TOOLS), True),
        ("{called: [look_up, create]}", facts(*EXECUTING, tools=TOOLS), False),
        ("{notCalled: [create]}", facts(*EXECUTING, tools=TOOLS), True),
        ("{notCalled: [look_up]}", facts(*EXECUTING, tools=TOOLS), False),
        # Calls of an earlier turn do not count.
        ("{called: [look_up]}", facts(*EXECUTING, user("And now?"), tools=TOOLS), False),
        ("{results: {look_up: success}}", facts(*EXECUTING, tools=TOOLS), True),
        ("{results: {look_up: error}}", facts(*EXECUTING, tools=TOOLS), False),
        ("{results: {create: success}}", facts(*EXECUTING, tools=TOOLS), False),
        ("{toolChoice: none}", facts(), True),
        ("{toolChoice: auto}", facts(tools=TOOLS), True),
        ("{toolChoice: none}", facts(tools=TOOLS, tool_choice={"type": "none"}), True),
        ("{messages: {min: 5, max: 5}}", facts(*EXECUTING, tools=TOOLS), True),
        ("{messages: {min: 6}}", facts(*EXECUTING, tools=TOOLS), False),
        ("{messages: {max: 4}}", facts(*EXECUTING, tools=TOOLS), False),
        ("{header: {X-Test: '^y'}}", facts(headers=[(b"x-test", b"yes")]), True),
        ("{header: {X-Test: '^y'}}", facts(headers=[(b"x-test", b"no")]), False),
        ("{header: {X-Test: '^y'}}", facts(), False),
        ("{user: ell, format: any}", facts(), False),
    ],
)
def test_a_rule_takes_the_requests_that_fulfil_its_conditions(
    when: str, seen: Facts, expected: bool
) -> None:
    assert is_match(when, seen) is expected


def matcher(rules: str) -> Matcher:
    return Matcher(parse_rules(rules.encode(), "sim.yaml").rules)


def names(found: Matcher, count: int, seen: Facts) -> list[str | None]:
    matches = [found.find(seen) for _ in range(count)]
    return [match.rule.name if match else None for match in matches]


def test_the_first_matching_rule_wins() -> None:
    found = matcher(
        """
        rules:
          - {name: a, when: {user: x}, fault: drop}
          - {name: b, when: {user: Hello}, fault: drop}
          - {name: c, fault: drop}
        """
    )

    assert names(found, 2, facts()) == ["b", "b"]


def test_times_takes_only_the_first_requests() -> None:
    found = matcher(
        """
        rules:
          - {name: a, when: {user: Hello, times: 2}, fault: drop}
          - {name: b, fault: drop}
        """
    )

    assert names(found, 1, facts(user("other"))) == ["b"]
    assert names(found, 4, facts()) == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("nth", "expected"),
    [
        ("{every: 3}", [3, 6, 9]),
        ("{every: 3, phase: 1}", [1, 4, 7, 10]),
        ("{every: 1}", range(1, 11)),
    ],
)
def test_nth_takes_every_nth_request(nth: str, expected: Any) -> None:
    found = matcher(f"rules: [{{name: a, when: {{nth: {nth}}}, fault: drop}}]")

    hits = [number for number, name in enumerate(names(found, 10, facts()), 1) if name]

    assert hits == list(expected)


def test_named_groups_come_from_user_and_text() -> None:
    found = matcher(
        r"""
        rules:
          - name: a
            when: {user: '(?P<id>ORD-\d+)(?P<never>x)?', text: '(?P<id>R)(?P<rest>\w+)'}
            fault: drop
        """
    )

    match = found.find(facts(*EXECUTING, tools=TOOLS))

    assert match is not None
    assert match.groups == {"id": "ORD-7", "never": None, "rest": "emember"}


def test_the_template_context_tells_of_results_and_calls() -> None:
    seen = facts(*EXECUTING, tools=TOOLS)
    context = seen.context({}, Random(1))

    assert context["user"] == "Where is ORD-7?"
    assert context["result"]("look_up") == {"status": "success"}
    assert context["result"]("create") is None
    assert context["results"]("look_up") == [{"status": "error"}, {"status": "success"}]
    assert context["called"]("look_up") == 2
    assert context["called"]("create") == 0
    assert context["tools"] == ("look_up", "create")
    assert context["request"]["model"] == "claude-sonnet-5-5"


def test_a_result_that_is_not_json_is_its_text() -> None:
    block = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": [{"type": "text", "text": "not json"}],
    }
    seen = facts(user("a"), call(1), {"role": "user", "content": [block]}, tools=TOOLS)

    assert seen.context({}, Random(1))["result"]("look_up") == "not json"
    assert seen.text == "not json"


def test_the_traits_of_a_request_are_described() -> None:
    described = facts(*EXECUTING, tools=TOOLS, output_config=FORMAT).describe()

    assert "format: Plan" in described
    assert "user: 'Where is ORD-7?'" in described
    assert "offered: [look_up, create]" in described
    assert "called: [look_up]" in described
