from __future__ import annotations

from typing import Any

import pytest

from tests.unit.config.lint.declared import said, tool


def path(to: str, **given: str) -> dict[str, Any]:
    call = {"tool": to, "input": given}
    return {"fastPaths": [{"name": "p", "match": {"patterns": ["^x$"]}, "call": call}]}


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"order_id": "1"}, []),
        ({}, ["fastPaths[0].call"]),
        ({"order": "1"}, ["fastPaths[0].call", "fastPaths[0].call.input.order"]),
        ({"order_id": "1", "customer_id": "C"}, ["fastPaths[0].call.input.customer_id"]),
    ],
)
def test_a_call_has_just_the_inputs_of_its_tool(given: dict[str, str], where: list[str]) -> None:
    found = said("ILK-C030", agent=path("get_order", **given))
    assert [each.where for each in found] == where
    assert {each.severity for each in found} <= {"warning"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "patternProperties": {"^x": {}}},
    ],
)
def test_a_tool_may_take_inputs_that_it_does_not_name(schema: dict[str, Any]) -> None:
    assert said("ILK-C030", agent=path("open", x="1"), tools=[tool("open", input=schema)]) == []


@pytest.mark.parametrize(
    "schema", [{"required": "order_id"}, {"properties": []}, {"required": [1]}]
)
def test_a_schema_that_is_none_is_left_to_the_other_checks(schema: dict[str, Any]) -> None:
    tools = [tool("odd", input={"type": "object", **schema})]
    assert said("ILK-C009", agent=path("odd"), tools=tools)
    assert said("ILK-C030", agent=path("odd"), tools=tools) == []
