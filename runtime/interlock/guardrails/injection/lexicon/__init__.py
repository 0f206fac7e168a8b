"""The words that stand for each concept, in every language that the rules know.

Each `.txt` file of this folder holds lines of `concept: words`, where `a_b` are two words. Words
are kept as `fold` leaves a text. To teach the rules a language, add a file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from interlock.guardrails.injection.folding import fold

__all__ = ["CONTINUOUS", "WORD", "Lexicon", "lexicon", "lookalikes"]

WORD = re.compile(r"[\w@$\u0900-\u0dff\u0e30-\u0e4e]+(?:'[\w\u0900-\u0dff]+)*")
"""A word of a folded text, with what stands in for letters."""

CONTINUOUS = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
"""A letter of a script that puts no spaces between words."""

_LANGUAGES = ("en", "germanic", "romance", "slavic", "asian")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of all languages."""

    concepts: Mapping[str, tuple[str, ...]]
    """What a single word stands for."""
    phrases: Mapping[tuple[str, str], tuple[tuple[tuple[str, ...], str], ...]]
    """By their first two words: those that have to follow, and what they all stand for."""
    vocabulary: frozenset[str]
    """Every word there is, also those that are only part of phrases."""
    english_vocabulary: frozenset[str]
    """The English ones among them."""
    english: frozenset[str]
    """The English words that an attacker would disguise."""
    literals: re.Pattern[str]
    """Every word of the scripts without spaces, longest first."""


@cache
def lexicon() -> Lexicon:
    """The words of all files, read once."""
    concepts: dict[str, list[str]] = defaultdict(list)
    phrases: dict[tuple[str, str], list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    vocabulary: set[str] = set()
    english_vocabulary: set[str] = set()
    english: set[str] = set()
    literals: set[str] = set()
    for language in _LANGUAGES:
        for concept, entries in _lines(f"{language}.txt"):
            for entry in entries.split():
                words = tuple(WORD.findall(fold(entry.replace("_", " "))))
                vocabulary.update(words)
                if language == "en":
                    english_vocabulary.update(words)
                    if concept in _DISGUISED:
                        english.update(word for word in words if len(word) >= 5)
                if len(words) > 1:
                    phrases[words[0], words[1]].append((words[2:], concept))
                    continue
                if CONTINUOUS.search(words[0]):
                    literals.add(words[0])
                concepts[words[0]].append(concept)
    longest_first = sorted(literals, key=lambda word: (-len(word), word))
    return Lexicon(
        {word: tuple(dict.fromkeys(found)) for word, found in concepts.items()},
        {words: tuple(found) for words, found in phrases.items()},
        frozenset(vocabulary),
        frozenset(english_vocabulary),
        frozenset(english),
        re.compile("|".join(map(re.escape, longest_first))),
    )


@cache
def lookalikes() -> Mapping[int, str]:
    """The Latin letter that each sign looks like, for `str.translate`."""
    return {
        ord(sign): letter
        for letter, signs in _lines("confusables.txt")
        for sign in signs.strip()
        if len(sign) == 1
    }


_DISGUISED = frozenset(
    {
        "override",
        "instructions",
        "previous",
        "first_text",
        "system",
        "reveal",
        "persona",
        "password",
        "limits",
        "lawless",
        "jailbreak",
        "special_mode",
    }
)
"""The concepts whose words are looked for with letters swapped, missing, or back to front."""


def _lines(name: str) -> list[tuple[str, str]]:
    text = (files(__package__) / name).read_text("utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(concept, words) for concept, _, words in (line.partition(": ") for line in lines)]
