"""Regular expressions as trees, from their text and through nothing but the public `re`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from interlock.memo import remembered

__all__ = [
    "Alternatives",
    "Anchor",
    "Characters",
    "Node",
    "Repeat",
    "Sequence",
    "characters_of",
    "parse_regex",
]

_SAMPLE = "".join(map(chr, range(256))) + "\u0131\u0130\u017f\u212a\u03a3\u0416\u4e2d\u0663\u2003"
"""Characters of every kind that patterns tell apart; a set of characters is those it matches."""


@dataclass(frozen=True, slots=True)
class Characters:
    """Exactly one character of a set."""

    of: frozenset[str]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the text instead of a part of it, such as its start."""

    at_start: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same part several times; `most` is `sys.maxsize` where there is no limit."""

    part: Node
    least: int
    most: int


Node = Characters | Anchor | Sequence | Alternatives | Repeat


def parse_regex(pattern: str) -> Node | None:
    """The tree of a valid regular expression; None if it refers back to what a group matched.

    What is looked for ahead or behind is left out, as it takes up no characters. Atomic groups and
    possessive repeats never give characters back, so they count as one character that may be
    missing.
    """
    try:
        flags = re.compile(pattern).flags & ~re.UNICODE & ~re.DEBUG
        return _Parser(pattern, flags).parse()
    except (re.error, _Unsupported, OverflowError, RecursionError):
        return None


class _Unsupported(Exception):
    pass


@remembered
def _matched_by(atom: str, flags: int) -> frozenset[str]:
    matcher = re.compile(atom, flags)
    return frozenset(character for character in _SAMPLE if matcher.fullmatch(character))


class _Parser:
    """Reads a pattern that `re` has compiled, so nothing in it is wrong."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._text = pattern
        self._at = 0
        self._flags = flags

    def parse(self) -> Node:
        node = self._alternatives()
        if self._at < len(self._text):
            raise _Unsupported
        return node

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        found = self._peek(text)
        self._at += len(text) if found else 0
        return found

    def _match(self, pattern: str) -> re.Match[str] | None:
        found = re.compile(pattern).match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _alternatives(self) -> Node:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        single = [option.of for option in options if isinstance(option, Characters)]
        if len(single) == len(options):
            # Python makes one set of them, too.
            return Characters(frozenset().union(*single))
        return options[0] if len(options) == 1 else Alternatives(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            if self._flags & re.VERBOSE and self._match(r"\s+|#[^\n]*"):
                continue
            atom = self._atom()
            if atom is not None:
                parts.append(self._repeated(atom))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self, atom: Node) -> Node:
        if self._flags & re.VERBOSE:
            self._match(r"(?:\s+|#[^\n]*)+")
        if found := self._match(r"[*+?]"):
            least = int(found[0] == "+")
            most = 1 if found[0] == "?" else sys.maxsize
        elif found := self._match(r"\{(?!\})(\d*)(,?)(\d*)\}"):
            least = int(found[1] or 0)
            most = int(found[3]) if found[3] else sys.maxsize if found[2] else least
        else:
            return atom
        if self._take("+"):
            return _opaque(atom)
        self._take("?")
        return Repeat(atom, least, most)

    def _atom(self) -> Node | None:
        if self._peek("("):
            return self._group()
        if found := self._match(r"\[\^?\]?(?:\\.|[^\]\\])*\]"):
            return Characters(_matched_by(found[0], self._flags))
        if found := self._match(r"\\[AbBZ]|[\^$]"):
            every_line = bool(self._flags & re.MULTILINE)
            return Anchor(at_start=found[0] == r"\A" or (found[0] == "^" and not every_line))
        if self._match(r"\\[1-9]\d?(?!\d)"):
            raise _Unsupported
        code = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|0[0-7]{0,2}"
        if found := self._match(code + r"|[0-7]{3}|.)|."):
            return Characters(_matched_by(found[0], self._flags & ~re.VERBOSE) or _rare(found[0]))
        # A line break in the pattern stands for itself.
        self._at += 1
        return Characters(frozenset("\n"))

    def _group(self) -> Node | None:
        if self._match(r"\(\?#[^)]*\)"):
            return None
        if self._match(r"\(\?[aiLmsux]+\)"):
            return None
        if self._match(r"\(\?P=\w+\)"):
            raise _Unsupported
        outer = self._flags
        looking = self._match(r"\(\?<?[=!]")
        atomic = None if looking else self._match(r"\(\?>")
        if not (looking or atomic or self._match(r"\(\?P<\w+>|\(\?\(\w+\)")):
            if scoped := self._match(r"\(\?([aiLmsux]*)(?:-([imsx]+))?:"):
                self._flags = (outer | _flags(scoped[1])) & ~_flags(scoped[2] or "")
            elif not self._match(r"\((?!\?)"):
                raise _Unsupported
        node = self._alternatives()
        self._flags = outer
        if not self._take(")"):
            raise _Unsupported
        if looking:
            return None
        return _opaque(node) if atomic else node


def _flags(letters: str) -> int:
    return sum(int(re.RegexFlag[letter.upper()]) for letter in set(letters) - {"u", "L"})


def _rare(atom: str) -> frozenset[str]:
    """A set of its own for a character that is not in the sample."""
    return frozenset({atom})


def _opaque(node: Node) -> Node:
    return Repeat(Characters(characters_of(node)), 0, 1)


def characters_of(node: Node) -> frozenset[str]:
    """All characters of the sample that can be part of what a tree matches."""
    match node:
        case Characters(of):
            return of
        case Sequence(parts) | Alternatives(parts):
            return frozenset().union(*map(characters_of, parts))
        case Repeat(part):
            return characters_of(part)
    return frozenset()
