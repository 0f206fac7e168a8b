from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from interlock.model.plan import MAX_STEPS, PLAN_SCHEMA, Plan, Step
from interlock.turn.plan import InvalidPlan, default_plan, parse_plan, required_steps

GATHER = {"type": "gather_info", "instruction": "Look."}
RESPOND = {"type": "respond", "instruction": "Say."}


def written(*steps: Any) -> str:
    return json.dumps({"steps": steps})


def kinds(plan: Plan) -> list[str]:
    return [step.type for step in plan.steps]


@pytest.mark.parametrize(
    "text",
    [
        written(GATHER, RESPOND),
        "\n " + written(GATHER, RESPOND) + "\n",
        f"```json\n{written(GATHER, RESPOND)}\n```",
        f"```\n{written(GATHER, RESPOND)}\n```\n",
        json.dumps({"steps": [{**GATHER, "mood": "good"}, RESPOND], "thought": "hm"}),
    ],
    ids=["plain", "with space around", "fenced as json", "fenced", "with unknown keys"],
)
def test_a_plan_is_read(text: str) -> None:
    assert kinds(parse_plan(text)) == ["gather_info", "respond"]


@pytest.mark.parametrize("last", ["gather_info", "take_action"])
def test_a_plan_that_ends_without_an_answer_gets_one(last: str) -> None:
    plan = parse_plan(written({"type": last, "instruction": "Go."}))
    assert kinds(plan) == [last, "respond"]
    assert plan.steps[-1].priority == "required"


@pytest.mark.parametrize("last", ["respond", "escalate"])
def test_a_plan_that_ends_with_an_answer_or_a_person_stays_as_it_is(last: str) -> None:
    assert kinds(parse_plan(written({"type": last, "instruction": "Go."}))) == [last]


def test_what_the_planner_leaves_out_has_a_default() -> None:
    step = parse_plan(written(RESPOND)).steps[0]
    assert step == Step(
        type="respond", instruction="Say.", tools=(), priority="required", hard=False
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "EOF"),
        ("I would look up the order first.", "Invalid JSON: expected"),
        (written(GATHER)[:-3], "EOF"),
        ("[]", "should be an object"),
        ("null", "should be an object"),
        ("{}", "steps: Field required"),
        (written(), "steps: .* at least 1 item"),
        (written(*[GATHER] * (MAX_STEPS + 1)), f"steps: .* at most {MAX_STEPS} items"),
        (written({"type": "think", "instruction": "Hm."}), "steps.0.type: "),
        (written({"instruction": "Hm."}), "steps.0.type: Field required"),
        (written(GATHER, {"type": "respond"}), "steps.1.instruction: Field required"),
        (written({**GATHER, "instruction": "  "}), "steps.0.instruction: "),
        (written({**GATHER, "instruction": "x" * 2001}), "steps.0.instruction: "),
        (written({**GATHER, "tools": "get_order"}), "steps.0.tools: "),
        (written({**GATHER, "tools": [1]}), r"steps.0.tools.0: "),
        (written({**GATHER, "priority": "urgent"}), "steps.0.priority: "),
        (written({**GATHER, "hard": "very"}), "steps.0.hard: "),
        ('{"steps": [{"type": "respond", "instruction": "\\ud800"}]}', "Invalid JSON"),
        ("[" * 5000, "Invalid JSON"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(InvalidPlan, match=problem):
        parse_plan(text)


@given(st.text() | st.lists(st.none() | st.dictionaries(st.text(), st.none())).map(json.dumps))
def test_any_text_is_a_plan_or_is_not(text: str) -> None:
    with suppress(InvalidPlan):
        assert parse_plan(text).steps


def test_the_longest_plan_may_still_get_its_answer() -> None:
    assert len(parse_plan(written(*[GATHER] * MAX_STEPS)).steps) == MAX_STEPS + 1


@pytest.mark.parametrize("text", ["Where is it?", "", "x" * 100_000])
def test_the_default_plan_looks_things_up_and_answers(text: str) -> None:
    plan = default_plan(text)
    assert kinds(plan) == ["gather_info", "respond"]
    # It must be one that the planner could have written.
    assert Plan.model_validate(plan.model_dump()) == plan


@pytest.mark.parametrize(
    ("priorities", "left"),
    [
        (["required", "required"], [0, 1]),
        (["optional", "required"], [1]),
        (["required", "optional", "optional"], [0]),
    ],
)
def test_a_low_budget_leaves_the_required_steps(priorities: list[str], left: list[int]) -> None:
    steps = [Step.model_validate({**RESPOND, "priority": priority}) for priority in priorities]
    assert required_steps(steps) == tuple(steps[index] for index in left)


@pytest.mark.parametrize("steps", [[], [{**GATHER, "priority": "optional"}]])
def test_a_low_budget_always_leaves_an_answer(steps: list[dict[str, str]]) -> None:
    left = required_steps([Step.model_validate(step) for step in steps])
    assert [step.type for step in left] == ["respond"]


def test_the_schema_that_is_sent_takes_what_is_read() -> None:
    Draft202012Validator.check_schema(PLAN_SCHEMA)
    plan = parse_plan(written(GATHER, RESPOND))
    sent = json.loads(json.dumps(plan.model_dump(mode="json")))
    assert list(Draft202012Validator(PLAN_SCHEMA).iter_errors(sent)) == []
    assert PLAN_SCHEMA["properties"]["steps"]["items"]["properties"].keys() == (
        Step.model_fields.keys()
    )
