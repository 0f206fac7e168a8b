"""docs/plan.md lists the rules on widening as they are."""

from __future__ import annotations

from pathlib import Path

from interlock.config.widening import RULES

PAGE = Path(__file__).parents[3] / "docs" / "plan.md"
SUBJECTS = {"agent": "agent", "tool": "tool", "service": "interlock.yaml", "plugin": "plugin file"}


def table() -> str:
    rows = [
        f"| {SUBJECTS[rule.subject]} | {f'`{rule.path}`' if rule.path else 'as a whole'} "
        f"| {rule.when} | {rule.reason} |"
        for rule in RULES
    ]
    return "\n".join(["| in | what | when | because |", "| --- | --- | --- | --- |", *rows])


def test_the_page_has_every_rule_in_its_order() -> None:
    assert table() in PAGE.read_text()
