"""The parts of a long text that are looked at, so that its cost stays bounded."""

from __future__ import annotations

__all__ = ["MOST_CHARACTERS", "sample"]

_END = 16_384
_AROUND = 512
_MOST_PLACES = 16
MOST_CHARACTERS = 2 * _END + _MOST_PLACES * 2 * _AROUND
"""The longest text that is read; of a longer one, so much is."""

_ANCHORS = (
    "instruction",
    "ignore",
    "disregard",
    "system prompt",
    "assistant",
    "<|",
    "[inst",
    "system:",
    "your response",
    "anweisung",
    "instruccion",
    "istruzioni",
    "指令",
    "инструкци",
    "chatgpt",
    "do not tell",
)
"""What is searched for in the middle of a long text: one place for each, the first."""


def sample(text: str) -> str:
    """The text; of a long one its head, its tail, and the places of the middle worth reading."""
    if len(text) <= MOST_CHARACTERS:
        return text
    middle = text[_END:-_END]
    lower = middle.lower()
    places = [lower.find(anchor) for anchor in _ANCHORS]
    parts = [middle[max(0, place - _AROUND) : place + _AROUND] for place in places if place >= 0]
    # What no word points at is spent on pieces at equal distances.
    left = _MOST_PLACES - len(parts)
    parts += (
        [
            middle[start : start + 2 * _AROUND]
            for start in range(0, len(middle), max(1, len(middle) // left))
        ][:left]
        if left
        else []
    )
    return "\n\n".join([text[:_END], *parts, text[-_END:]])
