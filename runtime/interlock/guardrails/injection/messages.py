"""What each idea of an attacker is, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from interlock.turn.guard import Stage

__all__ = ["IDEAS", "message_for"]

IDEAS: Mapping[str, str] = MappingProxyType(
    {
        "override": "it asks to ignore or replace the instructions",
        "extraction": "it asks for the instructions themselves",
        "persona": "it asks the model to play somebody else",
        "identity": "it says who or what the model is from now on",
        "role": "it holds the model to a part that obeys everything",
        "unrestricted": "it says that rules or limits do not hold",
        "no_refusal": "it forbids to refuse or to warn",
        "authority": "it claims to come from who runs the system",
        "secrets": "it asks for passwords or for another person's data",
        "delimiter": "it has marks that pretend to be another speaker",
        "system_claim": "it pretends that a mode or a notice of the system is in force",
        "obfuscation": "it hides orders in an encoding or in signs that are not shown",
        "many_shot": "it has a made-up conversation",
        "dictation": "it dictates an answer word for word",
        "address": "it speaks to the model that reads it",
        "answer": "it says what the answer to the customer is to contain",
        "tool_coercion": "it says which tool to call",
        "before": "it says what to do before the task at hand",
        "conceal": "it asks to keep something from the customer",
        "exfiltration": "it asks to send data to an address",
        "persistence": "it asks to be kept for later answers",
        "classifier": "a model judges it to be an attempt to give the assistant orders",
        "classifier_unavailable": "it is suspicious, and no model could be asked about it",
    }
)
"""By the rule that `Deny.rule` names."""


def message_for(rule: str, stage: Stage, *, reason: str = "") -> str:
    """What is wrong, for an operator and for the model."""
    where = "the tool's result" if stage == "tool_result" else "the text"
    more = f" ({reason})" if reason else ""
    return f"{where} looks like a prompt injection: {IDEAS[rule]}{more}"
