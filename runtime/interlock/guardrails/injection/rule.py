"""A rule: concepts that, close to each other, make up an idea of an attacker."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from interlock.guardrails.injection.reading import Reading

__all__ = ["Rule", "strengths"]

_MARGIN = 3
"""How many words before the concepts can still take back what they say."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Concepts that are suspicious together."""

    idea: str
    weight: float
    """How suspicious, where 1.0 is enough on its own."""
    near: tuple[str, ...]
    """The concepts, each at a word of its own."""
    within: int = 6
    """How many words may lie between one and the next."""
    ordered: bool = False
    """Whether they have to come in the order of `near`."""
    unless: tuple[str, ...] = ()
    """Concepts that, among them or just before, make them harmless."""
    margin_after: int = 0
    """How many words after them are searched for `unless`, too."""

    def applies_to(self, reading: Reading) -> bool:
        """Whether the text has the concepts close together."""
        places = reading.places
        if any(concept not in places for concept in self.near):
            return False
        return any(self._holds_at(start, places) for start in places[self.near[0]])

    def _holds_at(self, start: int, places: Mapping[str, Sequence[int]]) -> bool:
        taken = [start]
        for concept in self.near[1:]:
            place = self._next(places[concept], taken)
            if place is None:
                return False
            taken.append(place)
        first, last = min(taken) - _MARGIN, max(taken) + self.margin_after
        return not any(
            _has_between(places[concept], first, last)
            for concept in self.unless
            if concept in places
        )

    def _next(self, places: Sequence[int], taken: Sequence[int]) -> int | None:
        """The nearest place to what was found last that is still free."""
        last = taken[-1]
        index = bisect_left(places, last)
        after = next((place for place in places[index : index + 4] if place not in taken), None)
        if after is not None and after - last <= self.within:
            return after
        if self.ordered:
            return None
        earlier = places[max(0, index - 4) : index]
        before = next((place for place in reversed(earlier) if place not in taken), None)
        return before if before is not None and last - before <= self.within else None


def strengths(rules: Iterable[Rule], reading: Reading) -> dict[str, float]:
    """For each idea the weight of its heaviest rule that applies."""
    found: dict[str, float] = {}
    for rule in rules:
        if rule.weight > found.get(rule.idea, 0.0) and rule.applies_to(reading):
            found[rule.idea] = rule.weight
    return found


def _has_between(places: Sequence[int], first: int, last: int) -> bool:
    index = bisect_left(places, first)
    return index < len(places) and places[index] <= last
