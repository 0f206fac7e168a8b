from __future__ import annotations

from typing import Any

import pytest

from interlock.guardrails.tool_policy import ToolPolicy, ToolPolicySettings, ToolRule
from interlock.turn.guard import Deny, GuardrailInput, NoJudge

WHEN = '{{ input.amount > 100 and session.tier != "gold" }}'


async def judged(when: str, arguments: Any, session: Any, *, tool: str = "create_return") -> Any:
    rule = ToolRule(tool="create_*", when=when, deny="A person has to do that.")
    guardrail = ToolPolicy(ToolPolicySettings(rules=(rule,)))
    data = GuardrailInput("tool_call", "{}", tool, arguments=arguments, session=session)
    return await guardrail.check(data, NoJudge())


@pytest.mark.parametrize(
    ("amount", "tier", "denied"),
    [(100, "silver", False), (101, "silver", True), (101, "gold", False)],
)
async def test_a_rule_is_about_the_input_and_the_session(
    amount: int, tier: str, denied: bool
) -> None:
    decision = await judged(WHEN, {"amount": amount}, {"tier": tier})
    assert decision == (Deny("A person has to do that.", "rules[0]") if denied else None)


async def test_a_rule_is_about_its_tools_only() -> None:
    assert await judged("{{ true }}", {}, {}, tool="get_order") is None


@pytest.mark.parametrize(
    ("when", "session"),
    [
        (WHEN, {}),
        ("{{ session.tier }}", {}),
        ("{{ session.tier }}", {"tier": "gold"}),
        ("{{ input.amount < session.tier }}", {"tier": "gold"}),
        ("{{ true }} and {{ false }}", {}),
    ],
)
async def test_what_cannot_be_decided_is_forbidden(when: str, session: Any) -> None:
    decision = await judged(when, {"amount": 101}, session)
    assert isinstance(decision, Deny)
    assert "undecided" in decision.message
