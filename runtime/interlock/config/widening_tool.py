"""Which changes of a tool widen what it may do, and what the model may do with it."""

from __future__ import annotations

from interlock.config import widening_conditions as when
from interlock.config.widening_rule import Rule

__all__ = ["TOOL_RULES"]

TOOL_RULES: tuple[Rule, ...] = (
    Rule("tool", "", "added as a mutation", when.mutation_added, "a new tool changes something"),
    Rule(
        "tool",
        "category",
        "changed",
        when.changed,
        "other steps offer the tool, and other rules hold for its calls",
    ),
    Rule(
        "tool",
        "input.**",
        "changed, unless it plainly forbids more",
        when.schema_is_looser,
        "the model may send inputs that were refused",
    ),
    Rule(
        "tool",
        "bind.*",
        "changed or removed",
        when.changed_or_removed,
        "what the model cannot choose is no longer the same",
    ),
    Rule("tool", "http", "added", when.added, "the tool is carried out in another way"),
    Rule("tool", "python", "added", when.added, "the tool is carried out in another way"),
    Rule("tool", "python.function", "changed", when.changed, "the tool runs other code"),
    Rule(
        "tool",
        "python.refusals[*]",
        "gets one",
        when.added,
        "a call that failed so no longer brings a person",
    ),
    Rule("tool", "http.method", "changed", when.changed, "the tool sends another request"),
    Rule("tool", "http.url", "changed", when.changed, "the tool sends its request elsewhere"),
    Rule(
        "tool",
        "http.headers.*",
        "changed or removed",
        when.changed_or_removed,
        "the tool sends another request",
    ),
    Rule(
        "tool",
        "http.query.*",
        "changed or removed",
        when.changed_or_removed,
        "the tool sends another request",
    ),
    Rule("tool", "http.body.**", "any", when.changed, "the tool sends another request"),
    Rule("tool", "http.retry.attempts", "raised", when.raised, "a failed call is made more often"),
    Rule("tool", "http.maxBytes", "raised", when.raised, "the tool takes larger answers"),
    Rule(
        "tool",
        "timeout",
        "raised for an agent that uses the tool",
        when.raised_for_an_agent(lambda agent: agent.limits.tool_timeout),
        "a call may take longer",
    ),
    Rule(
        "tool",
        "result.select",
        "changed or removed",
        when.changed_or_removed,
        "the model may see more of the result",
    ),
    Rule("tool", "result.maxTokens", "raised", when.raised, "the model sees longer results"),
    Rule("tool", "idempotency", "removed", when.removed, "two equal calls become two actions"),
    Rule(
        "tool",
        "idempotency.header",
        "changed or removed",
        when.changed_or_removed,
        "the server may not recognise a repeated call",
    ),
    Rule(
        "tool",
        "idempotency.key",
        "gets further inputs",
        when.key_is_longer,
        "two calls for one action may count as two",
    ),
    Rule("tool", "approval", "removed", when.removed, "calls no longer wait for a person's yes"),
    Rule(
        "tool",
        "approval.when",
        "changed or removed",
        when.changed_or_removed,
        "calls that waited for a person's yes may not wait",
    ),
    Rule(
        "tool",
        "loop.key",
        "changed",
        when.changed,
        "calls that went round in circles may count as different",
    ),
    Rule(
        "tool",
        "loop.maxIdentical",
        "raised for an agent that uses the tool",
        when.raised_for_an_agent(lambda agent: agent.breakers.repetition.identical_calls),
        "a turn that goes nowhere goes on for longer",
    ),
    Rule(
        "tool",
        "loop.maxSameResult",
        "raised for an agent that uses the tool",
        when.raised_for_an_agent(lambda agent: agent.breakers.repetition.same_result),
        "a turn that goes nowhere goes on for longer",
    ),
    Rule(
        "tool",
        "loop.maxPolls",
        "raised for an agent that uses the tool",
        when.raised_for_an_agent(lambda agent: agent.breakers.repetition.polls),
        "a turn that goes nowhere goes on for longer",
    ),
    Rule(
        "tool",
        "breaker.errorRate",
        "raised",
        when.raised,
        "a tool that fails is called more often",
    ),
    Rule(
        "tool",
        "breaker.minCalls",
        "raised",
        when.raised,
        "a tool that fails is called more often",
    ),
    Rule(
        "tool",
        "breaker.openFor",
        "lowered",
        when.lowered,
        "a tool that fails is called more often",
    ),
    Rule(
        "tool",
        "breaker.maxOpenFor",
        "lowered",
        when.lowered,
        "a tool that fails is called more often",
    ),
    Rule(
        "tool",
        "breaker.probes",
        "raised",
        when.raised,
        "a tool that fails is called more often",
    ),
)
"""Every rule on tools."""
