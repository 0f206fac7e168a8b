"""A text as the places at which it speaks of the concepts that rules are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from interlock.guardrails.injection.lexicon import CONTINUOUS, WORD, lexicon
from interlock.guardrails.injection.spelling import known_words, split_run

__all__ = ["Reading", "read"]

_PAUSE = 4
"""How far apart, in words, the end of a sentence puts what is before and after it."""

_SHORTEST_SPELT_OUT = 4
_LONGEST_WORD = 64
_MODE = ("modus", "mode", "modo")
"""How words that are put together from the name of a mode end."""

_SENTENCE_ENDS = frozenset(".!?;\n\u3002\uff01\uff1f\u0964")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text speaks of, and where."""

    places: Mapping[str, Sequence[int]]
    """For each concept the numbers of the words that stand for it, ascending."""
    words: frozenset[str]
    """The words as they are written."""


def read(text: str) -> Reading:
    """Reads a text that `fold` has made."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    said: list[tuple[str, int]] = []
    written: set[str] = set()
    run: list[tuple[str, int, int]] = []
    place = end = 0
    for match in WORD.finditer(text):
        start, stop = match.span()
        if start - end > 1 and _is_pause(text[end:start]):
            place += _PAUSE
        word = match[0]
        if stop - start == 1 and word.isascii():
            # Letters that stand apart may be a word that is spelt out.
            run.append((word, place, start - end))
            place += 1
        else:
            if run:
                said += _joined(run)
                run.clear()
            written.add(word)
            meaning = _meaning(word)
            for offset, part in enumerate(meaning.words):
                said.append((part, place + offset))
            for offset, concept in meaning.concepts:
                found[concept].append(place + offset)
            place += meaning.length
        end = stop
    said += _joined(run)
    _find_concepts(said, found)
    return Reading({concept: sorted(at) for concept, at in found.items()}, frozenset(written))


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a written word is, whatever stands around it."""

    words: tuple[str, ...]
    """The words of the lexicon that it stands for."""
    concepts: tuple[tuple[int, str], ...]
    """What else it stands for, and how many words after its begin."""
    length: int
    """As how many words it counts."""


@lru_cache(maxsize=16_384)
def _meaning(word: str) -> _Meaning:
    if not word.isascii() and CONTINUOUS.search(word):
        known = lexicon()
        concepts = tuple(
            (match.start() // 2, concept)
            for match in known.literals.finditer(word)
            for concept in known.concepts[match[0]]
        )
        # A script without spaces counts two letters as a word.
        return _Meaning((), concepts, max(1, len(word) // 2))
    also = []
    if word.endswith(_MODE):
        also.append((0, "mode"))
    if "_" in word.strip("_"):
        also.append((0, "identifier"))
    elif _is_address(word):
        also.append((0, "address"))
    words = known_words(word[:_LONGEST_WORD])
    return _Meaning(words, tuple(also), max(1, len(words)))


def _find_concepts(said: Sequence[tuple[str, int]], found: defaultdict[str, list[int]]) -> None:
    """Adds what words and phrases stand for."""
    concepts, phrases = lexicon().concepts, lexicon().phrases
    last, last_place = "", 0
    for index, (word, place) in enumerate(said):
        if word in concepts:
            for concept in concepts[word]:
                found[concept].append(place)
        for rest, concept in phrases.get((last, word), ()):
            following = said[index + 1 : index + 1 + len(rest)]
            if tuple(part for part, _ in following) == rest:
                found[concept].append(last_place)
        last, last_place = word, place


def _is_pause(between: str) -> bool:
    return not _SENTENCE_ENDS.isdisjoint(between) or ('"' in between and "," in between)


def _joined(run: Sequence[tuple[str, int, int]]) -> Iterator[tuple[str, int]]:
    """The words that letters make up: each with its place and its distance to the one before."""
    if len(run) < _SHORTEST_SPELT_OUT:
        yield from ((letter, place) for letter, place, _ in run)
        return
    # Letters of one word are parted by less than words are.
    narrow = min(distance for _, _, distance in run[1:])
    groups: list[list[str]] = [[]]
    for number, (letter, _, distance) in enumerate(run):
        if number and distance > narrow:
            groups.append([])
        groups[-1].append(letter)
    found: list[str] = []
    for group in groups:
        joined = "".join(group)
        found += split_run(joined) or known_words(joined)
    # They count as so many words, up to where the last letter stands.
    yield from zip(found, range(run[-1][1] - len(found) + 1, run[-1][1] + 1), strict=True)


def _is_address(word: str) -> bool:
    """Whether it is the start of an e-mail address, or the number of an account."""
    if "@" in word:
        return word.rpartition("@")[0] != "" and word[-1] != "@" and word[0] != "@"
    return len(word) >= 15 and word[:2].isalpha() and sum(map(str.isdigit, word)) >= 12
