"""Which known words a written word stands for, however it is disguised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import groupby

from interlock.guardrails.injection.lexicon import lexicon, lookalikes

__all__ = ["known_words", "mirrored", "rotated", "split_run"]

_LONGEST_WORD = 16
_LONGEST_RUN = 256
_SHORTEST_RUN = 10
_SHORTEST_GUESS = 6
_L_FOR_ONE = str.maketrans("1", "l")


@lru_cache(maxsize=16_384)
def known_words(word: str) -> tuple[str, ...]:
    """The words of the lexicon that `word` stands for; itself if there is none.

    It may be written with look-alikes or digits, with letters swapped, doubled or missing, or be
    several words run together.
    """
    vocabulary = lexicon().vocabulary
    if word in vocabulary or len(word) < 2:
        return (word,)
    if word.endswith("'s") and word[:-2] in vocabulary:
        return (word[:-2],)
    if "'" in word and (last := word.rpartition("'")[2]) in vocabulary:
        return (last,)
    if "_" in word:
        return tuple(known for part in word.split("_") if part for known in known_words(part))
    for form in _forms(word):
        if form in lexicon().english_vocabulary:
            return (form,)
        if (guess := _misspelt(form)) is not None:
            return (guess,)
    for form in _forms(word):
        if _SHORTEST_RUN <= len(form) <= _LONGEST_RUN and (found := split_run(form)):
            return found
    return (word,)


def split_run(run: str) -> tuple[str, ...]:
    """The known words that, one after the other, make up `run`.

    None if something is left over, or if there is nothing among them that one would disguise.
    """
    vocabulary = lexicon().english_vocabulary
    run = run[:_LONGEST_RUN]
    # The fewest words up to each place: long words are rarely there by accident.
    best: list[tuple[str, ...] | None] = [(), *([None] * len(run))]
    for start, before in enumerate(best):
        if before is None:
            continue
        for end in range(start + 1, min(start + _LONGEST_WORD, len(run)) + 1):
            here = best[end]
            if run[start:end] in vocabulary and (here is None or len(before) + 1 < len(here)):
                best[end] = (*before, run[start:end])
    found = best[-1] or ()
    return () if lexicon().english.isdisjoint(found) else found


@cache
def rotated() -> frozenset[str]:
    """The English words of the lexicon in ROT13."""
    return frozenset(word.translate(_ROTATION) for word in lexicon().english if len(word) > 5)


@cache
def mirrored() -> frozenset[str]:
    """The English words of the lexicon back to front."""
    return frozenset(word[::-1] for word in lexicon().english if len(word) > 5)


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROTATION = str.maketrans(_LETTERS, _LETTERS[13:] + _LETTERS[:13])


def _forms(word: str) -> tuple[str, ...]:
    """Ways to read the word: as it is, and with look-alikes as letters."""
    if word.isalpha() and word.isascii():
        collapsed = "".join(map(_once, groupby(word)))
        return (word,) if collapsed == word else (word, collapsed)
    if word.isdigit():
        return ()
    with_l = word.translate(_L_FOR_ONE).translate(lookalikes())
    plain = word.translate(lookalikes())
    return (plain,) if plain == with_l else (plain, with_l)


def _once(same: tuple[str, Iterator[str]]) -> str:
    """Three of a letter or more as one."""
    letter, letters = same
    count = sum(1 for _ in letters)
    return letter * count if count < 3 else letter


def _misspelt(word: str) -> str | None:
    if not _SHORTEST_GUESS <= len(word) <= _LONGEST_WORD:
        return None
    shuffled = _shuffled().get(_signature(word))
    if shuffled is not None:
        return shuffled
    lacking, english = _lacking(), lexicon().english
    found = lacking.get(word)
    if found is not None:
        return found
    for index in range(1, len(word)):
        shorter = word[:index] + word[index + 1 :]
        if shorter in english and len(shorter) >= _SHORTEST_GUESS:
            return shorter
    return None


def _signature(word: str) -> str:
    return word[0] + "".join(sorted(word[1:-1])) + word[-1]


@cache
def _shuffled() -> Mapping[str, str]:
    return {_signature(word): word for word in sorted(lexicon().english)}


@cache
def _lacking() -> Mapping[str, str]:
    """Each word with one letter missing, not its first."""
    return {
        word[:index] + word[index + 1 :]: word
        for word in sorted(lexicon().english)
        if len(word) > _SHORTEST_GUESS
        for index in range(1, len(word))
    }
