from __future__ import annotations

import pytest

from interlock.model.plan import Step
from interlock.turn.agent import CompiledAgent
from interlock.turn.select import select_tools, words
from tests.unit.turn.scripted import compiled

TOOL = """
name: {name}
category: {category}
description: {description}
whenToUse: {when}
python: {{function: 'plugins/shop.py:{name}'}}
"""
PERSON = """
name: {name}
category: escalation
description: Calls a person.
whenToUse: A person is needed.
"""
SHOP = {
    "get_order": ("lookup", "Returns the state of one order.", "An order is named."),
    "get_invoice": ("lookup", "Returns what was charged.", "The bill of an order is needed."),
    "get_weather": ("lookup", "Returns the forecast.", "Rain may delay a delivery."),
    "find_products": ("search", "Finds goods.", "Goods are described in words."),
    "find_reviews": ("search", "Finds opinions.", "Somebody asks what others think of goods."),
    "cancel_order": ("mutation", "Cancels an order.", "The order is not wanted any more."),
}


def shop(extra: str = "", *, people: tuple[str, ...] = ("call_a_person",)) -> CompiledAgent:
    documents = [
        TOOL.format(name=name, category=category, description=description, when=when)
        for name, (category, description, when) in SHOP.items()
    ]
    documents += [PERSON.format(name=name) for name in people]
    agent = f"""
name: support
description: Answers customers.
models: {{plan: haiku, execute: sonnet}}
tools: [{", ".join((*SHOP, *people))}]
prompts: {{system: You answer.}}
"""
    return compiled(extra, agent=agent, tools="---".join(documents))


def offered(agent: CompiledAgent, kind: str, instruction: str = "", *tools: str) -> list[str]:
    step = Step.model_construct(type=kind, instruction=instruction, tools=tools)
    return [tool.spec.name for tool in select_tools(agent, step)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "gather_info",
            ["call_a_person", "find_products", "get_invoice", "get_order", "get_weather"],
        ),
        ("take_action", ["call_a_person", "cancel_order"]),
        ("escalate", ["call_a_person"]),
        ("respond", ["call_a_person"]),
    ],
)
def test_a_step_offers_its_categories_and_always_the_way_to_a_person(
    kind: str, expected: list[str]
) -> None:
    assert offered(shop(), kind) == expected


def test_a_tool_of_another_category_is_not_offered_however_much_it_is_wanted() -> None:
    names = offered(shop(), "gather_info", "cancel_order now: cancel the order", "cancel_order")
    assert "cancel_order" not in names


def test_the_agent_says_which_categories_a_step_has() -> None:
    agent = shop("toolSelection: {steps: {gather_info: [search], respond: [lookup]}}")
    assert offered(agent, "gather_info") == ["call_a_person", "find_products", "find_reviews"]
    assert offered(agent, "respond") == [
        "call_a_person",
        "get_invoice",
        "get_order",
        "get_weather",
    ]
    assert offered(agent, "take_action") == ["call_a_person"]


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 6, 20])
def test_no_step_offers_more_than_max_with_the_escalation_tool_counted(most: int) -> None:
    agent = shop(f"toolSelection: {{max: {most}}}")
    names = offered(agent, "gather_info")
    assert len(names) == min(most, 6)
    assert "call_a_person" in names


def test_every_escalation_tool_stays_within_reach() -> None:
    agent = shop("toolSelection: {max: 2}", people=("call_a_person", "call_a_vet", "call_home"))
    assert offered(agent, "gather_info") == ["call_a_person", "call_a_vet", "call_home"]


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Look up the order", "get_order"),
        ("Find out what the customer was charged on the bill", "get_invoice"),
        ("Will rain delay it?", "get_weather"),
        ("What do others think of the goods?", "find_reviews"),
    ],
)
def test_the_words_of_the_instruction_decide_what_is_kept(instruction: str, expected: str) -> None:
    agent = shop("toolSelection: {max: 2}")
    assert offered(agent, "gather_info", instruction) == sorted(["call_a_person", expected])


def test_what_the_planner_names_comes_before_what_the_words_say() -> None:
    agent = shop("toolSelection: {max: 3}")
    named = ("find_reviews", "get_weather", "no_such_tool")
    names = offered(agent, "gather_info", "Look up the order and the bill", *named)
    assert names == ["call_a_person", "find_reviews", "get_weather"]


def test_the_order_of_the_planners_names_decides_when_not_all_of_them_fit() -> None:
    agent = shop("toolSelection: {max: 2}")
    names = offered(agent, "gather_info", "", "get_weather", "get_order")
    assert names == ["call_a_person", "get_weather"]


def test_equals_stay_in_the_order_of_the_agents_list() -> None:
    agent = shop("toolSelection: {max: 3}")
    assert offered(agent, "gather_info", "zzz") == ["call_a_person", "get_invoice", "get_order"]


def test_tools_are_sorted_by_name_whatever_their_rank() -> None:
    agent = shop()
    for named in (("get_weather", "find_products"), ("find_products", "get_weather"), ()):
        names = offered(agent, "gather_info", "rain, goods, orders", *named)
        assert names == sorted(names)


def test_words_are_told_apart_without_case_plural_and_fillers() -> None:
    text = "What are the Orders and the address of ORD-1001's customer?"
    assert words(text) == ["order", "address", "ord", "1001"]
