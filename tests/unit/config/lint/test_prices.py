from __future__ import annotations

from typing import Any

import pytest

from tests.unit.config.lint.declared import said

MODELS = {
    "haiku": {"provider": "anthropic", "model": "my-model"},
    "sonnet": {"provider": "anthropic", "model": "my-model"},
    "opus": {"provider": "anthropic", "model": "my-other-model"},
}
ROUTES = {"plan": "haiku", "execute": "sonnet", "reason": "opus"}


def test_each_unpriced_model_is_told_once_at_its_first_route() -> None:
    found = said("ILK-C028", agent={"models": ROUTES}, settings={"models": MODELS})
    assert [each.where for each in found] == ["models.plan", "models.reason"]
    assert {each.severity for each in found} == {"warning"}


@pytest.mark.parametrize(
    ("agent", "settings"),
    [
        ({}, {"prices": {"my-model": {"input": 0, "output": 0}}}),
        # That is an error of its own.
        ({"limits": {"maxCostUsd": 1}}, {}),
    ],
)
def test_a_price_may_be_0_and_a_limit_makes_it_another_finding(
    agent: dict[str, Any], settings: dict[str, Any]
) -> None:
    assert said("ILK-C028", agent=agent, settings={"models": MODELS, **settings}) == []
