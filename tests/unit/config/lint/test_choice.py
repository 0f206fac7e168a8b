from __future__ import annotations

from typing import Any

import pytest

from tests.unit.config.lint.declared import said, tool

# The base has a look-up and an escalation tool.
LOOKUPS = [tool(f"look{n}x{n * 7}") for n in range(7)]
MUTATION = tool("change", "mutation")


@pytest.mark.parametrize(
    ("tools", "number"),
    [
        (LOOKUPS[:5], 0),
        (LOOKUPS[:6], 1),
        # One that the look-ups' step rules out.
        ([*LOOKUPS[:6], MUTATION], 0),
    ],
)
def test_many_tools_of_which_a_step_rules_none_out(
    tools: list[dict[str, Any]], number: int
) -> None:
    assert len(said("ILK-C018", tools=tools)) == number


def test_it_is_said_where_the_tools_are_listed() -> None:
    [found] = said("ILK-C018", tools=LOOKUPS)
    assert (found.where, found.severity) == ("tools", "warning")
    assert "9 tools, and a step of type 'gather_info'" in found.message


@pytest.mark.parametrize(
    ("tools", "selection", "offered"),
    [
        (LOOKUPS[:4], {"max": 6}, 6),
        (LOOKUPS[:4], {"max": 5}, None),
        # A high limit is none of our business as long as there are few tools.
        (LOOKUPS[:3], {"max": 20}, None),
        (LOOKUPS[:6], {}, None),
        (LOOKUPS[:6], {"max": 9, "steps": {}}, None),
        (LOOKUPS[:6], {"max": 9, "steps": {"respond": ["lookup"]}}, 8),
        ([tool(f"call{n}", "escalation") for n in range(5)], {}, 6),
    ],
)
def test_many_tools_in_a_step(
    tools: list[dict[str, Any]], selection: dict[str, Any], offered: int | None
) -> None:
    for each in tools:
        if each["category"] == "escalation":
            del each["http"]
    found = said("ILK-C019", tools=tools, agent={"toolSelection": selection})
    assert [each.message.split(" offers ")[1].split()[0] for each in found] == (
        [] if offered is None else [str(offered)]
    )
