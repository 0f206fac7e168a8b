"""A text as the places at which it speaks of the concepts that rules are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    known = lexicon()
    words: list[str] = []
    places: list[int] = []
    written: set[str] = set()
    found: defaultdict[str, list[int]] = defaultdict(list)
    for word, place in _spelt_out(_written(text)):
        written.add(word)
        if not word.isascii() and CONTINUOUS.search(word):
            for match in known.literals.finditer(word):
                for concept in known.concepts[match[0]]:
                    found[concept].append(place + match.start() // 2)
            continue
        if word.endswith(_MODE):
            found["mode"].append(place)
        if len(word) > 3 and not word.isalpha():
            if "_" in word.strip("_"):
                found["identifier"].append(place)
            elif _is_address(word):
                found["address"].append(place)
        for part in known_words(word[:_LONGEST_WORD]):
            words.append(part)
            places.append(place)
    count = len(words)
    for index, (word, place) in enumerate(zip(words, places, strict=True)):
        for concept in known.concepts.get(word, ()):
            found[concept].append(place)
        for rest, concept in known.phrases.get(word, ()):
            if index + len(rest) < count and all(
                words[index + offset] == part for offset, part in enumerate(rest, 1)
            ):
                found[concept].append(place)
    return Reading({concept: sorted(at) for concept, at in found.items()}, frozenset(written))


def _written(text: str) -> Iterator[tuple[str, int, str]]:
    """Each word, its number, and what stands between it and the word before."""
    place, end = 0, 0
    for match in WORD.finditer(text):
        between = text[end : match.start()]
        if len(between) > 1 and (
            not _SENTENCE_ENDS.isdisjoint(between) or ('"' in between and "," in between)
        ):
            place += _PAUSE
        elif between == "\n":
            place += 1
        word, end = match[0], match.end()
        yield word, place, between
        # A script without spaces counts two letters as a word.
        place += 1 if word.isascii() else max(1, len(word) // 2 * bool(CONTINUOUS.search(word)))


def _spelt_out(words: Iterator[tuple[str, int, str]]) -> Iterator[tuple[str, int]]:
    """The words, with letters that stand apart put together again."""
    run: list[tuple[str, int, str]] = []
    for item in words:
        if len(item[0]) == 1 and not item[0].isspace():
            run.append(item)
            continue
        if run:
            yield from _joined(run)
            run.clear()
        yield item[0], item[1]
    yield from _joined(run)


def _joined(run: Sequence[tuple[str, int, str]]) -> Iterator[tuple[str, int]]:
    if len(run) < _SHORTEST_SPELT_OUT:
        yield from ((letter, place) for letter, place, _ in run)
        return
    # Letters of one word are parted by less than words are.
    narrow = min(len(between) for _, _, between in run[1:])
    groups: list[list[str]] = [[]]
    for number, (letter, _, between) in enumerate(run):
        if number and len(between) > narrow:
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
