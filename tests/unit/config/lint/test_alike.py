from __future__ import annotations

from pathlib import Path

import pytest

from interlock.config.source import read_tree
from interlock.reload.generation import check
from tests.unit.config.lint.declared import said, tool

ROOT = Path(__file__).parents[4]
STATUS = {
    "description": "Returns the status of one order.",
    "whenToUse": "The customer asks how an order is doing.",
}


@pytest.mark.parametrize(
    ("description", "when", "alike"),
    [
        (STATUS["description"], STATUS["whenToUse"], True),
        ("Returns an order's status.", "Customers ask how orders are doing.", True),
        ("The price of a kettle.", STATUS["whenToUse"], True),
        (STATUS["description"], "The customer wants to send something back.", False),
        ("Follows the parcel of one order.", "The customer asks where a parcel is.", False),
    ],
)
def test_tools_with_nearly_the_same_words(description: str, when: str, alike: bool) -> None:
    tools = [tool("first", **STATUS), tool("other", description=description, whenToUse=when)]
    found = said("ILK-C020", tools=tools)
    assert bool(found) is alike
    assert [each.where for each in found] == (["tools[3]"] if alike else [])


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        ("Do not use it for parcels.", True),
        ("Do not use it when the number is known (first).", False),
        ("Do not use it when the number is known (first_aid).", True),
    ],
)
def test_a_tool_that_names_the_other_is_told_apart(text: str, alike: bool) -> None:
    tools = [tool("first", **STATUS), tool("other", **STATUS, whenNotToUse=text)]
    assert bool(said("ILK-C020", tools=tools)) is alike


def test_tools_of_different_agents_may_be_alike() -> None:
    tools = [tool("first", **STATUS), tool("other", **STATUS)]
    assert said("ILK-C020", tools=tools, agent={"tools": ["get_order", "first"]}) == []


@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_tool_that_does_not_say_when_not_to_use_it(text: str | None) -> None:
    [found] = said("ILK-C021", tools=[tool("first", whenNotToUse=text)])
    assert (found.where, found.severity) == ("whenToUse", "warning")
    assert "'first'" in found.message


@pytest.mark.parametrize("project", [".", "benchmarks/project", "runtime/interlock/cli/starter"])
def test_the_projects_that_come_with_interlock_have_no_findings(project: str) -> None:
    loaded, toolbox = check(read_tree(ROOT / project), {}, project=ROOT / project)
    assert toolbox is not None
    toolbox.forget()
    assert loaded.found == ()
