from __future__ import annotations

from typing import Any

import pytest

from tests.unit.config.lint.declared import said, tool


@pytest.mark.parametrize(
    ("category", "idempotency", "number"),
    [
        ("mutation", None, 1),
        ("mutation", {}, 0),
        ("mutation", {"header": "Key"}, 0),
        ("lookup", None, 0),
    ],
)
def test_a_mutation_without_idempotency(
    category: str, idempotency: dict[str, Any] | None, number: int
) -> None:
    found = said("ILK-C022", tools=[tool("act", category, idempotency=idempotency)])
    assert [each.where for each in found] == ["category"] * number


def test_the_way_out_fits_the_kind_of_tool() -> None:
    [by_http] = said("ILK-C022", tools=[tool("act", "mutation", idempotency=None)])
    python = {"http": None, "python": {"function": "plugins/x.py:act"}}
    [by_python] = said("ILK-C022", tools=[tool("act", "mutation", idempotency=None, **python)])
    assert "header: Idempotency-Key" in str(by_http.hint)
    assert "header" not in str(by_python.hint)


@pytest.mark.parametrize(("idempotency", "number"), [({}, 1), ({"header": "Key"}, 0), (None, 0)])
def test_a_key_that_no_header_carries(idempotency: dict[str, Any] | None, number: int) -> None:
    found = said("ILK-C023", tools=[tool("act", "mutation", idempotency=idempotency)])
    assert [each.where for each in found] == ["idempotency"] * number
