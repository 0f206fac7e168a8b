"""Which changes of a configuration widen what agents, tools and strangers may do or spend.

What cannot be shown to be harmless counts as widening. Prompts and other texts are not judged:
their differences are shown, for a person to read.
"""

from __future__ import annotations

from interlock.config.comparison import Comparison
from interlock.config.difference import Difference
from interlock.config.widening_agent import AGENT_RULES
from interlock.config.widening_rule import Rule, matches
from interlock.config.widening_service import SERVICE_RULES
from interlock.config.widening_tool import TOOL_RULES

__all__ = ["RULES", "widening_reason"]

RULES: tuple[Rule, ...] = (*AGENT_RULES, *TOOL_RULES, *SERVICE_RULES)
"""Every rule; `docs/plan.md` shows them as a table."""


def widening_reason(difference: Difference, comparison: Comparison) -> str | None:
    """Why the difference is a widening, by the first rule that fits; None if it is none."""
    for rule in RULES:
        fits = rule.subject == difference.subject and matches(rule.path, difference.path)
        if fits and rule.test(difference, comparison):
            return rule.reason
    return None
