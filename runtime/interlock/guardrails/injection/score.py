"""How much a text looks like an attack, all of its hidden texts included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from interlock.guardrails.injection.decoding import hidden_texts, invisible_text, turned_texts
from interlock.guardrails.injection.folding import fold, unescape
from interlock.guardrails.injection.reading import Reading, read
from interlock.guardrails.injection.rule import strengths
from interlock.guardrails.injection.sampling import sample
from interlock.guardrails.injection.shapes import shapes_of
from interlock.guardrails.injection.spelling import mirrored, rotated
from interlock.guardrails.injection.tool_rules import TOOL_RULES
from interlock.guardrails.injection.user_rules import USER_RULES
from interlock.turn.guard import Stage

__all__ = ["Score", "score"]

_MOST_HIDDEN = 12
_MOST_HIDDEN_CHARACTERS = 32_768
_DEEPEST = 2
_HIDDEN_WEIGHT = 0.3
"""What it adds that an idea had to be decoded first."""


@dataclass(frozen=True, slots=True)
class Score:
    """What speaks for an attack."""

    ideas: Mapping[str, float]
    """The ideas that were found, with the weight of each."""

    @property
    def total(self) -> float:
        """The sum of the weights: 1.0 is one clear sign, or several weak ones."""
        return sum(self.ideas.values())

    @property
    def strongest(self) -> str | None:
        """The idea that weighs most, the first of equals."""
        return max(self.ideas, key=self.ideas.__getitem__, default=None)


def score(text: str, stage: Stage) -> Score:
    """Reads a text. The time is linear in its length, and bounded."""
    rules = TOOL_RULES if stage == "tool_result" else USER_RULES
    text = unescape(sample(text))
    folded = fold(text)
    reading = read(folded)
    found = strengths(rules, reading)
    _keep_heavier(found, shapes_of(folded, stage))
    for hidden in _hidden(text, folded, reading):
        plain = fold(hidden)
        inside = strengths(rules, read(plain))
        _keep_heavier(inside, shapes_of(plain, stage))
        if any(weight > found.get(idea, 0.0) for idea, weight in inside.items()):
            _keep_heavier(found, inside)
            found["obfuscation"] = max(found.get("obfuscation", 0.0), _HIDDEN_WEIGHT)
    if invisible_text(text):
        # Nobody types what cannot be seen.
        found["obfuscation"] = 1.0
    return Score(found)


def _hidden(text: str, folded: str, reading: Reading) -> Iterator[str]:
    """The texts inside, and those inside of them, within bounds."""
    left = _MOST_HIDDEN_CHARACTERS
    pending = [(hidden, 1) for hidden in _inside(text, folded, reading)]
    for _ in range(_MOST_HIDDEN):
        if not pending or left <= 0:
            return
        hidden, depth = pending.pop(0)
        hidden = hidden[:left]
        left -= len(hidden)
        yield hidden
        if depth < _DEEPEST:
            pending += [(deeper, depth + 1) for deeper in hidden_texts(hidden)]


def _inside(text: str, folded: str, reading: Reading) -> Iterator[str]:
    if invisible := invisible_text(text):
        yield invisible
    yield from turned_texts(folded, reading.words, (rotated(), mirrored()))
    yield from hidden_texts(text)


def _keep_heavier(found: dict[str, float], more: Mapping[str, float]) -> None:
    for idea, weight in more.items():
        found[idea] = max(found.get(idea, 0.0), weight)
