"""Which changes of an agent widen what it may do or spend."""

from __future__ import annotations

from interlock.config import widening_conditions as when
from interlock.config.widening_rule import Rule

__all__ = ["AGENT_RULES"]

AGENT_RULES: tuple[Rule, ...] = (
    Rule("agent", "", "added", when.added, "a new agent can be used"),
    Rule("agent", "limits.maxIterations", "raised", when.raised, "a turn may go round more often"),
    Rule("agent", "limits.maxTokens", "raised", when.raised, "a conversation may use more tokens"),
    Rule(
        "agent",
        "limits.maxCostUsd",
        "raised or removed",
        when.raised_or_removed,
        "a conversation may cost more",
    ),
    Rule("agent", "limits.turnTimeout", "raised", when.raised, "a turn may take longer"),
    Rule("agent", "limits.toolTimeout", "raised", when.raised, "a tool call may take longer"),
    Rule("agent", "limits.warnAt", "raised", when.raised, "optional steps are dropped later"),
    Rule(
        "agent",
        "limits.reserveForFinal",
        "lowered",
        when.lowered,
        "less is kept back for the last answer",
    ),
    Rule(
        "agent",
        "limits.transcriptTokens",
        "raised",
        when.raised,
        "more of the conversation is sent with every call",
    ),
    Rule(
        "agent",
        "limits.onExhausted",
        "changed to `complete`",
        when.becomes("complete"),
        "a used-up limit no longer leads to a person",
    ),
    Rule(
        "agent",
        "models.*",
        "the agent's worst case grows",
        when.agent_cost_grows,
        "a conversation may cost more",
    ),
    Rule("agent", "tools[*]", "added", when.added, "the agent may use one more tool"),
    Rule(
        "agent",
        "toolSelection.steps.**",
        "added",
        when.added,
        "a step offers one more kind of tool",
    ),
    Rule("agent", "toolSelection.max", "raised", when.raised, "a step offers more tools at once"),
    Rule("agent", "guardrails.*[*]", "removed", when.removed, "a check is gone"),
    Rule(
        "agent",
        "guardrails.*[*].with.**",
        "changed, except a lower `characters` of `max_length`",
        when.guardrail_may_be_looser,
        "a check may let more pass",
    ),
    Rule(
        "agent",
        "guardrails.*[*].onViolation",
        "changed to `revise`, or removed",
        when.becomes_or_removed("revise"),
        "what broke this rule may get a second try",
    ),
    Rule(
        "agent",
        "guardrails.*[*].onError",
        "changed to `allow`",
        when.becomes("allow"),
        "what a broken check cannot judge may pass",
    ),
    Rule(
        "agent",
        "guardrails.*[*].timeout",
        "lowered",
        when.lowered,
        "a check with `onError: allow` may be skipped sooner",
    ),
    Rule(
        "agent",
        "guardrails.onViolation",
        "changed to `revise`",
        when.becomes("revise"),
        "an answer that broke a rule gets a second try",
    ),
    Rule(
        "agent",
        "breakers.**",
        "raised",
        when.raised,
        "a turn that goes nowhere goes on for longer",
    ),
    Rule(
        "agent",
        "escalation.sla",
        "raised or removed",
        when.raised_or_removed,
        "customers may wait longer for a person",
    ),
)
"""Every rule on agents."""
