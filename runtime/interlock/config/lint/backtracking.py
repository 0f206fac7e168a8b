"""How long Python's `re` can take for a pattern and a text that does not match it.

It tries every way in which the parts of a pattern can share the text. Two things make these many:

- A repeat whose rounds can be cut in more than one way, such as `(\\w+\\s?)*`: their number
  doubles with each character. Found by looking for two ways through the pattern's automaton that
  read the same text and meet again.
- Several repeats in a row that take the same characters, such as `.*foo.*bar.*`: their number
  grows with the length to the power of how many there are.

What is looked for ahead and behind is not judged, nor are patterns of hundreds of parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product

from interlock.config.lint.regex_tree import (
    Alternatives,
    Anchor,
    Characters,
    Node,
    Repeat,
    Sequence,
    characters_of,
)

__all__ = ["degree_of", "is_exponential"]

_MANY = 10
"""From this many rounds on, a repeat is as bad as one without end."""

_MOST_POSITIONS = 120
_MOST_VARIANTS = 64
_MOST_COPIES = 4


def is_exponential(node: Node) -> bool:
    """Whether the time can double with each character of the text."""
    automaton = _Automaton()
    try:
        automaton.add(node)
    except _TooLarge:
        return False
    following = automaton.following()
    loops = _loops(following)
    for (here, there), ways in automaton.edges.items():
        if ways > 1 and there in loops[here] and here in loops[there]:
            return True
    return any(_meets_itself(automaton, following, start, loops) for start in loops)


def degree_of(node: Node) -> int:
    """The power of the text's length that the time grows with, if not exponentially."""
    return max((_degree(parts) for parts in islice(_variants(node), _MOST_VARIANTS)), default=0)


class _TooLarge(Exception):
    pass


@dataclass(slots=True)
class _Ends:
    """Where a part of the pattern can begin and end, and whether it can be nothing."""

    first: list[int]
    last: list[int]
    empty: bool


@dataclass(slots=True)
class _Automaton:
    """The characters of a pattern as states, and in how many ways one can follow another."""

    states: list[frozenset[str]] = field(default_factory=list)
    edges: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, node: Node) -> _Ends:
        """Adds a part. Raises `_TooLarge`."""
        match node:
            case Characters(of):
                if len(self.states) >= _MOST_POSITIONS:
                    raise _TooLarge
                self.states.append(of)
                state = len(self.states) - 1
                return _Ends([state], [state], empty=False)
            case Sequence(parts):
                return self._add_sequence(parts)
            case Alternatives(options):
                every = [self.add(option) for option in options]
                return _Ends(
                    [state for ends in every for state in ends.first],
                    [state for ends in every for state in ends.last],
                    any(ends.empty for ends in every),
                )
            case Repeat(part, least, most) if most >= _MANY:
                ends = self.add(part)
                self._join(ends.last, ends.first)
                return _Ends(ends.first, ends.last, ends.empty or least == 0)
            case Repeat(part, least, most):
                maybe = Repeat(part, 0, 1)
                if most == 1 and least == 0:
                    ends = self.add(part)
                    return _Ends(ends.first, ends.last, empty=True)
                return self._add_sequence((part,) * least + (maybe,) * (most - least))
        return _Ends([], [], empty=True)

    def following(self) -> Mapping[int, list[int]]:
        """The states that can follow each one."""
        found: dict[int, list[int]] = {state: [] for state in range(len(self.states))}
        for here, there in self.edges:
            found[here].append(there)
        return found

    def _add_sequence(self, parts: tuple[Node, ...]) -> _Ends:
        whole = _Ends([], [], empty=True)
        for part in parts:
            ends = self.add(part)
            self._join(whole.last, ends.first)
            if whole.empty:
                whole.first = [*whole.first, *ends.first]
            whole.last = [*whole.last, *ends.last] if ends.empty else ends.last
            whole.empty = whole.empty and ends.empty
        return whole

    def _join(self, last: list[int], first: list[int]) -> None:
        self.edges.update(product(last, first))


def _loops(following: Mapping[int, list[int]]) -> Mapping[int, frozenset[int]]:
    """The states that each state can come back to itself from; only states that can."""
    reached = {state: _reached(state, following) for state in following}
    return {
        state: frozenset(other for other in found if state in reached[other])
        for state, found in reached.items()
        if state in found
    }


def _reached(start: int, following: Mapping[int, list[int]]) -> set[int]:
    found: set[int] = set()
    pending = [start]
    while pending:
        for state in following[pending.pop()]:
            if state not in found:
                found.add(state)
                pending.append(state)
    return found


def _meets_itself(
    automaton: _Automaton,
    following: Mapping[int, list[int]],
    start: int,
    loops: Mapping[int, frozenset[int]],
) -> bool:
    """Whether two different ways lead from `start` back to it and read the same text."""
    states, loop = automaton.states, loops[start]
    # (one way, the other way, whether they have been apart)
    pending = [(start, start, False)]
    seen = set(pending)
    while pending:
        one, other, apart = pending.pop()
        for here, there in product(following[one], following[other]):
            if here not in loop or there not in loop or states[here].isdisjoint(states[there]):
                continue
            found = (min(here, there), max(here, there), apart or here != there)
            if found == (start, start, True):
                return True
            if found not in seen:
                seen.add(found)
                pending.append(found)
    return False


def _variants(node: Node) -> Iterator[tuple[Node, ...]]:
    """The parts in a row, once for each choice that decides about repeats without end."""
    match node:
        case Sequence(parts):
            for choice in product(*(list(islice(_variants(part), _MOST_COPIES)) for part in parts)):
                yield tuple(part for some in choice for part in some)
        case Alternatives(options) if any(map(_has_loop, options)):
            for option in options:
                yield from _variants(option)
        case Repeat(part, least, most) if not _is_loop(node) and _has_loop(part):
            if least == 0:
                yield ()
            for parts in _variants(part):
                yield parts * min(most, _MOST_COPIES)
        case _:
            yield (node,)


def _is_loop(node: Node) -> bool:
    return isinstance(node, Repeat) and node.most - node.least >= _MANY


def _has_loop(node: Node) -> bool:
    match node:
        case Sequence(parts) | Alternatives(parts):
            return any(map(_has_loop, parts))
        case Repeat(part):
            return _is_loop(node) or _has_loop(part)
    return False


def _degree(parts: tuple[Node, ...]) -> int:
    """The most loops in a row that one text can make fight over its characters."""
    found = 0
    for start, part in enumerate(parts):
        if _is_loop(part):
            found = max(found, _run(parts, start))
    return found


def _run(parts: tuple[Node, ...], start: int) -> int:
    """How many loops, from the one at `start` on, can share one text that fails in the end."""
    common = characters_of(parts[start])
    if not _fits(parts[start], common):
        return 0
    loops, counted = 1, 0
    for index in range(start + 1, len(parts)):
        part = parts[index]
        narrower = common & characters_of(part)
        inside = parts[start : index + 1]
        if _is_loop(part) and narrower and all(_fits(each, narrower) for each in inside):
            loops, common = loops + 1, narrower
        elif _can_fail(part):
            # Only loops before something that can fail are ever tried again.
            counted = loops
            if not _fits(part, common):
                break
    if counted and not any(_starts(part) for part in parts[:start]):
        # The search itself begins anew at each character that what comes before can take.
        counted += all(_fits(part, common) for part in parts[:start])
    return counted


def _fits(node: Node, characters: frozenset[str]) -> bool:
    """Whether a text of nothing but these characters can be what the part matches."""
    match node:
        case Characters(of):
            return not of.isdisjoint(characters)
        case Sequence(parts):
            return all(_fits(part, characters) for part in parts)
        case Alternatives(options):
            return any(_fits(option, characters) for option in options)
        case Repeat(part, least):
            return (least == 0 and not _is_loop(node)) or _fits(part, characters)
    return True


def _can_fail(node: Node) -> bool:
    match node:
        case Characters():
            return True
        case Anchor(at_start):
            return not at_start
        case Sequence(parts):
            return any(map(_can_fail, parts))
        case Alternatives(options):
            return all(map(_can_fail, options))
        case Repeat(part, least):
            return least > 0 and _can_fail(part)


def _starts(node: Node) -> bool:
    return isinstance(node, Anchor) and node.at_start
