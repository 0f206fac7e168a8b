"""Rules for what tools return, where nobody has orders to give."""

from __future__ import annotations

from interlock.guardrails.injection.any_text_rules import ANY_TEXT_RULES
from interlock.guardrails.injection.rule import Rule

__all__ = ["TOOL_RULES"]

TOOL_RULES = (
    *ANY_TEXT_RULES,
    Rule("override", 1.0, ("stop_task",)),
    Rule("override", 0.8, ("strictly",)),
    Rule("override", 0.4, ("new_orders",)),
    Rule("override", 0.5, ("override", "respond"), within=5),
    # It speaks to whoever reads it for the customer.
    Rule("address", 1.0, ("to_you",)),
    Rule("address", 0.5, ("to_agent",)),
    Rule("address", 0.6, ("ai", "must"), within=3),
    Rule("address", 0.5, ("machine", "respond"), within=5),
    Rule("address", 0.6, ("important", "machine"), within=4),
    Rule("address", 0.8, ("message_from", "principal"), within=3, ordered=True),
    # It says what the answer is to be.
    Rule("answer", 1.0, ("edit_strong", "your_response"), within=8),
    Rule("answer", 1.0, ("edit", "your_response"), within=10, unless=("detail",), margin_after=5),
    Rule("answer", 1.0, ("edit", "model_output"), within=10),
    Rule("answer", 0.5, ("your_response",)),
    Rule("dictation", 0.6, ("just_print",)),
    Rule("dictation", 0.6, ("respond", "exactly"), within=1),
    Rule("dictation", 0.6, ("expected", "machine", "response"), within=3),
    # It says what to do with tools.
    Rule("tool_coercion", 1.0, ("call", "identifier"), within=2, ordered=True),
    Rule("tool_coercion", 0.8, ("call", "tool", "destructive"), within=6),
    Rule("tool_coercion", 0.6, ("must", "call", "tool"), within=4, ordered=True),
    Rule("before", 1.0, ("before_you", "task"), within=4),
    Rule("before", 0.4, ("before_you",)),
    Rule("before", 0.6, ("after_that",)),
    Rule("conceal", 0.6, ("conceal",)),
    Rule("conceal", 1.0, ("conceal", "reader"), within=4),
    Rule("exfiltration", 1.0, ("send", "contents", "private", "address"), within=10),
    Rule("exfiltration", 0.6, ("send", "private", "address"), within=8),
    Rule("exfiltration", 0.4, ("send", "address"), within=6),
    Rule("persistence", 0.8, ("persist", "your_response"), within=12),
    Rule("persistence", 1.0, ("persist", "future_tasks"), within=6),
    Rule("dictation", 1.0, ("if_asked", "just_print"), within=8, ordered=True),
    Rule("persona", 0.6, ("you", "are", "now"), within=1, ordered=True),
    Rule("persona", 0.6, ("persona", "ai"), within=6),
    Rule("system_claim", 0.7, ("system_note",)),
)
"""For the stage `tool_result`."""
