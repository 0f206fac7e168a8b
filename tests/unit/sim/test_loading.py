from __future__ import annotations

from pathlib import Path

import pytest

from interlock.sim import SimRulesError, load_rules, parse_rules


def problems(text: str) -> list[tuple[int, int, str, str | None]]:
    with pytest.raises(SimRulesError) as caught:
        parse_rules(text.encode(), "sim.yaml")
    return [
        (found.location.line, found.location.column, found.message, found.hint)
        for found in caught.value.diagnostics
    ]


EVERYTHING = r"""
latency: {min: 200ms, max: 0.4s}
seed: 7
models: any
rules:
  - name: plan a return
    when:
      format: plan
      model: haiku
      system: 'You are'
      user: '(?i)return .*(?P<order_id>ORD-\d+)'
      text: '.'
      offered: [create_return]
      notOffered: [x]
      called: [get_order_status]
      notCalled: [create_return]
      results: {get_order_status: '"status":"success"'}
      toolChoice: none
      messages: {min: 1, max: 9}
      header: {x-test: 'yes'}
      nth: {every: 10, phase: 3}
    reply:
      thinking: '{{ user }}'
      json: {a: ['{{ match.order_id }}', 1, null]}
      tools: [{name: t, input: {n: '{{ called("t") }}'}}]
      stopReason: refusal
      refusalCategory: cyber
      usage: {output: 50}
      latency: 50ms
  - name: overloaded
    when: {times: 2}
    latency: 1m
    error: {status: 529, type: overloaded_error, message: Overloaded, retryAfter: 1}
  - name: gone
    when: {user: x}
    fault: streamError
  - name: otherwise
    reply: {content: []}
"""


def test_a_file_with_every_key_is_read() -> None:
    rules = parse_rules(EVERYTHING.encode(), "sim.yaml")

    first, second, third, last = rules.rules
    assert rules.latency is not None
    assert (rules.latency.min, rules.latency.max, rules.seed, rules.models) == (0.2, 0.4, 7, "any")
    assert first.when.user is not None
    assert first.when.user.search("return my ORD-7")
    assert first.when.nth is not None
    assert (first.when.nth.every, first.when.nth.phase) == (10, 3)
    assert first.reply is not None
    assert first.reply.latency is not None
    assert first.reply.latency.max == pytest.approx(0.05)
    assert second.latency is not None
    assert second.latency.min == 60
    assert second.error is not None
    assert second.error.retry_after == 1
    assert third.fault == "streamError"
    assert last.reply is not None
    assert last.reply.content == ()


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("rules: [{name: a, reply: {text: hi}}]", encoding="utf-8")

    assert load_rules(path).rules[0].name == "a"


def test_errors_name_the_file_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("rule: []", encoding="utf-8")

    with pytest.raises(SimRulesError) as caught:
        load_rules(path)

    assert str(caught.value).splitlines() == [
        f"{path}:1:1: error[ILK-C001]: the key 'rules' is missing",
        "  hint: add 'rules:'",
        f"{path}:1:1: error[ILK-C002]: unknown key 'rule'",
        "  hint: did you mean 'rules'?",
    ]


def test_all_errors_are_told_at_once() -> None:
    found = problems(
        """\
rules:
  - name: a
    when: {usr: x, toolChoice: nne}
    reply: {text: hi}
  - name: b
    reply: {txt: hi, text: 5}
  - nme: c
    fault: explode
"""
    )

    assert [(line, column) for line, column, _, _ in found] == [
        (3, 12),
        (3, 32),
        (6, 13),
        (6, 28),
        (7, 5),
        (7, 5),
        (8, 12),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("", 1, 1, "the file is empty", "add 'rules:'"),
        ("rules: [}", 1, 9, "did not find expected node content", None),
        ("rules: []\n---\nrules: []", 2, 1, "another document", None),
        ("rules: []\nrules: []", 2, 1, "the key 'rules' stands here again", "remove"),
        ("a: &x 1\nb: *x\nrules: []", 1, 4, "anchors and aliases", "write it out"),
        ("rules: 5", 1, 8, "rules: ", None),
        (
            "rules:\n  - name: a\n    wehn: {}\n    reply: {text: a}",
            3,
            5,
            "unknown key 'wehn'",
            "did you mean 'when'?",
        ),
        (
            "rules:\n  - name: a\n    when: {nth: {evry: 2, every: 2}}\n    reply: {text: a}",
            3,
            18,
            "unknown key 'evry'",
            "did you mean 'every'?",
        ),
        (
            "rules:\n  - name: a\n    reply: {tools: [{name: t, inptu: {}}]}",
            3,
            31,
            "unknown key 'inptu'",
            "did you mean 'input'?",
        ),
        ("rules:\n  - reply: {text: a}", 2, 5, "the key 'name' is missing", "add 'name:'"),
        ("rules: [{name: a}]", 1, 9, "exactly one of reply, error and fault", None),
        (
            "rules: [{name: a, reply: {text: a}, fault: drop}]",
            1,
            9,
            "exactly one of reply, error and fault",
            None,
        ),
        ("rules: [{name: a, fault: hnag}]", 1, 26, "Input should be", "did you mean 'hang'?"),
        ("rules: [{name: a, reply: {text: true}}]", 1, 33, "valid string", "quote it"),
        ("rules: [{name: a, reply: {}}]", 1, 26, "needs text, json, tools", None),
        ("rules: [{name: a, reply: {text: a, json: 1}}]", 1, 26, "either text or json", None),
        ("rules: [{name: a, reply: {content: [], text: a}}]", 1, 26, "content without", None),
        (
            "rules: [{name: a, reply: {text: a, refusalCategory: cyber}}]",
            1,
            26,
            "refusalCategory needs stopReason: refusal",
            None,
        ),
        ("latency: 5\nrules: []", 1, 10, "a time such as 50ms", None),
        ("latency: {min: 2s, max: 1s}\nrules: []", 1, 10, "min must not be above max", None),
        ("latency: {min: 2, max: 1s}\nrules: []", 1, 16, "a time such as 50ms", None),
        (
            "rules: [{name: a, when: {user: '('}, fault: drop}]",
            1,
            32,
            "is not a regular expression",
            None,
        ),
        (
            "rules: [{name: a, when: {results: {t: '['}}, fault: drop}]",
            1,
            39,
            "is not a regular expression",
            None,
        ),
        (
            "rules: [{name: a, when: {times: 2, nth: {every: 2}}, fault: drop}]",
            1,
            25,
            "either times or nth",
            None,
        ),
        (
            "rules: [{name: a, when: {nth: {every: 2, phase: 2}}, fault: drop}]",
            1,
            31,
            "phase must be less than every",
            None,
        ),
        ("rules: [{name: a, error: {status: 200}}]", 1, 35, "greater than or equal to 400", None),
        (
            "rules:\n  - {name: a, when: {user: a}, fault: drop}\n  - {name: a, fault: drop}",
            3,
            12,
            "a rule named 'a' stands on line 2 already",
            "its own name",
        ),
        (
            "rules:\n  - {name: a, fault: drop}\n  - {name: b, fault: drop}",
            2,
            12,
            "no rule after 'a' is ever reached",
            "move it to the end",
        ),
        ("rules: [{name: a, reply: {text: '{{ x'}}]", 1, 33, "unexpected end of template", None),
        ("rules: [{name: a, reply: {text: '{{ x }}'}}]", 1, 33, "unknown name 'x'", None),
        (
            "rules: [{name: a, reply: {json: {b: ['{{ x }}']}}}]",
            1,
            38,
            "unknown name 'x'",
            None,
        ),
        (
            "rules: [{name: a, reply: {tools: [{name: t, input: {b: '{{ x }}'}}]}}]",
            1,
            56,
            "unknown name 'x'",
            None,
        ),
        (
            "rules: [{name: a, when: {user: '(?P<id>x)'}, reply: {text: '{{ match.idd }}'}}]",
            1,
            60,
            "match.idd, but the rule's user or text has id",
            None,
        ),
        (
            "rules:\n  - name: a\n    reply:\n      text: |\n        fine\n        {{ match.id }}",
            6,
            13,
            "match.id, but the rule's user or text has no named group",
            None,
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_way_out(
    text: str, line: int, column: int, message: str, hint: str | None
) -> None:
    found = problems(text)

    assert found[0][:2] == (line, column)
    assert message in found[0][2]
    if hint is not None:
        assert hint in (found[0][3] or "")


def test_bytes_that_are_not_utf_8_are_an_error() -> None:
    with pytest.raises(SimRulesError, match="codec can't decode"):
        parse_rules(b"rules: \xff", "sim.yaml")


def test_a_control_character_is_an_error() -> None:
    with pytest.raises(SimRulesError, match=r"sim\.yaml:1:1"):
        parse_rules(b"rules: \x00", "sim.yaml")
