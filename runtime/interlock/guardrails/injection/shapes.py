"""Signs of an attack that are in the form of a text and not in its words."""

from __future__ import annotations

import re

from interlock.turn.guard import Stage

__all__ = ["shapes_of"]

_CONTROL = (
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<</sys>>",
    "### system",
    "###system",
    "### instruction",
    "###instruction",
    '"role": "system"',
    '"role":"system"',
)
"""Marks with which models are told who speaks, in lower case; nothing else uses them."""

_LIKELY_CONTROL = (
    "[system]",
    "[system message",
    "[admin]",
    "</system>",
    "<system>",
    "<system_",
    "<\\system",
    "</tool_result>",
    "</user_input>",
    "end of system prompt",
    "begin system prompt",
    "{system:",
)
"""Marks that are made up to look like such."""

_TOOL_CONTROL = (
    "<information>",
    "</information>",
    "<important>",
    "<instructions>",
    "<!-- ai",
    "<<<",
)
"""Marks that say more in a tool's result than in a message."""

_SPEAKER = re.compile(
    r"^[^\w\n]{0,4}(?:system|admin|developer|assistant|ai|llm)[^\w\n]{0,3}:", re.M
)
_DICTATED = re.compile(
    r"\b(?:say|says|print|output|respond|reply|answer|write|respond with|reply with|answer with|"
    r"state)(?: exactly| only)?:? ?[\"\u201c\u00ab']\w"
)
_QUOTES = "\"'\u201c\u00ab"
_QUESTION = re.compile(r"\bq(?:uestion)?:")
_ANSWER = re.compile(r"\ba(?:nswer)?:")
_HUMAN = re.compile(r"\b(?:user|human|customer):")
_MACHINE = re.compile(r"\b(?:assistant|ai|bot|agent|chatgpt|gpt):")


def shapes_of(folded: str, stage: Stage) -> dict[str, float]:
    """The ideas that the form of the text speaks for, with their weights."""
    found: dict[str, float] = {}
    from_tool = stage == "tool_result"
    if any(mark in folded for mark in _CONTROL):
        found["delimiter"] = 1.0
    elif any(mark in folded for mark in _LIKELY_CONTROL) or (
        from_tool and any(mark in folded for mark in _TOOL_CONTROL)
    ):
        found["delimiter"] = 0.8
    elif ":" in folded and _SPEAKER.search(folded):
        found["delimiter"] = 0.5
    if any(mark in folded for mark in _QUOTES) and _DICTATED.search(folded):
        found["dictation"] = 0.5
    if not from_tool:
        pairs = max(_pairs(folded, _QUESTION, _ANSWER), _pairs(folded, _HUMAN, _MACHINE))
        if pairs >= 2:
            found["many_shot"] = 1.0 if pairs >= 3 else 0.5
    return found


def _pairs(text: str, asking: re.Pattern[str], answering: re.Pattern[str]) -> int:
    if ":" not in text:
        return 0
    return min(len(asking.findall(text)), len(answering.findall(text)))
