from __future__ import annotations

import pytest

from interlock.turn.agent import CompiledAgent
from tests.unit.turn.scripted import AGENT, SETTINGS, TOOLS, compiled


def test_a_tool_is_described_with_when_to_use_it_and_when_not() -> None:
    tools = TOOLS.replace(
        "whenToUse: The customer names an order.",
        "whenToUse: The customer names an order.\nwhenNotToUse: It is about a parcel.",
        1,
    )
    assert compiled(tools=tools).tools["get_order"].definition == {
        "name": "get_order",
        "description": (
            "Returns one order.\nUse when: The customer names an order.\n"
            "Do not use when: It is about a parcel."
        ),
        "input_schema": {
            "type": "object",
            "properties": {"order_id": {"type": "string", "pattern": "^ORD-\\d+$"}},
            "required": ["order_id"],
            "additionalProperties": False,
        },
    }


def test_a_schema_may_allow_further_inputs_itself() -> None:
    tools = TOOLS.replace(
        "input:\n  type: object", "input:\n  additionalProperties: true\n  type: object", 1
    )
    schema = compiled(tools=tools).tools["get_order"].definition["input_schema"]
    assert schema["additionalProperties"] is True


def test_formats_are_checked() -> None:
    tools = TOOLS.replace("pattern: '^ORD-\\d+$'", "format: date", 1)
    validator = compiled(tools=tools).tools["get_order"].validator
    assert validator.is_valid({"order_id": "2026-11-22"})
    assert not validator.is_valid({"order_id": "tomorrow"})


def test_the_catalogue_names_every_tool_in_order() -> None:
    headings = [line for line in compiled().catalogue.splitlines() if line.startswith("## ")]
    assert headings == [
        "## add_note (mutation)",
        "## call_a_person (escalation)",
        "## create_return (mutation)",
        "## get_order (lookup)",
        "## get_shipping (lookup)",
        "## list_orders (search)",
    ]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (
            "{plan: haiku, execute: sonnet}",
            {"reason": "sonnet", "validate": "haiku", "fastPath": "haiku"},
        ),
        (
            "{plan: haiku, execute: sonnet, reason: opus, validate: sonnet, fastPath: opus}",
            {"reason": "opus", "validate": "sonnet", "fastPath": "opus"},
        ),
    ],
)
def test_every_route_has_a_model(models: str, expected: dict[str, str]) -> None:
    declared = "models: {plan: haiku, execute: sonnet, reason: opus, fastPath: haiku}"
    agent = compiled(agent=AGENT.replace(declared, f"models: {models}"))
    served = {route: found.model for route, found in agent.routes.items()}
    expected = {"plan": "haiku", "execute": "sonnet", **expected}
    assert served == {route: f"claude-{name}-5-5" for route, name in expected.items()}


def test_a_route_knows_its_price_time_and_retries() -> None:
    provider = "apiKey: {env: API_KEY, default: none}, timeout: 7s, retry: {attempts: 5}"
    agent = compiled(
        settings=SETTINGS.replace("apiKey: {env: API_KEY, default: none}", provider).replace(
            "claude-sonnet-5-5", "my-own-model"
        )
        + "prices: {claude-haiku-5-5: {input: 1, output: 2}}"
    )
    plan, execute = agent.routes["plan"], agent.routes["execute"]
    assert (plan.timeout_seconds, plan.retry.attempts) == (7.0, 5)
    assert plan.price is not None
    assert plan.price.worst(1000, 0) == 1_000_000
    assert execute.price is None


def test_an_agents_variables_win_over_those_of_the_service() -> None:
    agent = compiled("variables: {company: Southwind, tone: warm}")
    assert agent.variables == {"company": "Southwind", "tone": "warm"}
    assert agent.system.render(agent.variables) == "You answer for Southwind."


@pytest.mark.parametrize(
    ("extra", "timeout", "expected"),
    [
        ("", "", 10.0),
        ("limits: {toolTimeout: 3s}", "", 3.0),
        ("limits: {toolTimeout: 3s}", "timeout: 700ms", 0.7),
    ],
)
def test_a_tools_own_time_wins_over_the_agents(extra: str, timeout: str, expected: float) -> None:
    tools = TOOLS.replace("category: lookup", f"category: lookup\n{timeout}", 1)
    assert compiled(extra, tools=tools).tools["get_order"].timeout_seconds == expected


def test_a_tools_strongest_words_are_those_of_its_name() -> None:
    def weigh(agent: CompiledAgent) -> dict[str, int]:
        return dict(agent.tools["get_shipping"].words)

    assert weigh(compiled()) == {"shipping": 3, "follow": 1, "parcel": 2, "order": 1, "ask": 2}
