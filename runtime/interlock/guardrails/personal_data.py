"""Finding personal data in a text. Each pattern takes time in proportion to the text's length."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Set
from types import MappingProxyType
from typing import Literal, get_args

__all__ = ["KINDS", "Kind", "find_personal_data"]

Kind = Literal["email", "phone", "card", "iban", "ssn", "ip"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""All that can be looked for."""

_Span = tuple[int, int]

_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]++@(?:[^\W_]++(?:-++[^\W_]++)*+\.)+[^\W\d_]{2,24}")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,39}(?![\w-])")
_GROUP = re.compile(r"\d+")
_SEPARATOR = re.compile(r"[ -]")
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?= ?[A-Za-z0-9])")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{3,45}(?![\w:])")

_INTERNATIONAL = re.compile(
    r"(?<![\w.+-])(?:\+ ?|(?<!\d )00)[1-9](?:[ ().\-/]{0,2}\d){6,13}(?![\w-]|[.,]\d)"
)
_AMERICAN = re.compile(r"(?<![\w.+(-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])")
_TRUNK = re.compile(
    r"(?<![\w.+-])(?<!\d )\(?0[1-9]\d{0,4}\)?[ /-]\d(?:[ /-]?\d){4,9}(?![\w:-]|[.,]\d)"
)
_DATE = re.compile(r"\d\d[/-]\d\d[/-]\d{4}")
_NUMBER = re.compile(r"(?<![\w.+-])\d(?:[ .\-/]?\d){6,14}(?![\w-])")
_SPOKEN_OF = re.compile(r"\b(?:phone|tel|telephone|mobile|cell|call|whatsapp|fax|sms)\b", re.I)
_BEFORE = 30
"""Characters before a number in which it may be said that it is a phone's."""

_IBAN_LENGTHS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("NO",), 15),
        **dict.fromkeys(("BE",), 16),
        **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "SD"), 18),
        **dict.fromkeys(("MK", "SI"), 19),
        **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK", "MN"), 20),
        **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
        **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
        **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "TL", "SO"), 23),
        **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
        **dict.fromkeys(("LY", "PT", "ST"), 25),
        **dict.fromkeys(("IS", "TR"), 26),
        **dict.fromkeys(("DJ", "FR", "GR", "IT", "MC", "MR", "SM", "BI"), 27),
        **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "EG", "GT", "HU", "LB", "NI", "PL"), 28),
        **dict.fromkeys(("SV",), 28),
        **dict.fromkeys(("BR", "PS", "QA", "UA"), 29),
        **dict.fromkeys(("JO", "KW", "MU"), 30),
        **dict.fromkeys(("MT", "SC"), 31),
        **dict.fromkeys(("LC",), 32),
        **dict.fromkeys(("RU",), 33),
    }
)
"""Characters of an account number by country."""


def find_personal_data(text: str, kinds: Set[Kind]) -> list[tuple[Kind, int, int]]:
    """What there is of these kinds as (kind, start, end), in order and without overlaps."""
    taken: list[tuple[Kind, int, int]] = []
    for kind, find in _FINDERS.items():
        # What is something else is not looked at again: a card number is no phone number.
        found = [(kind, start, end) for start, end in find(text)]
        taken += _apart(found, taken)
    return sorted((each for each in taken if each[0] in kinds), key=lambda each: each[1])


def _apart(
    found: list[tuple[Kind, int, int]], taken: list[tuple[Kind, int, int]]
) -> Iterator[tuple[Kind, int, int]]:
    others = sorted(taken, key=lambda each: each[1])
    position = 0
    for each in found:
        while position < len(others) and others[position][2] <= each[1]:
            position += 1
        if position == len(others) or others[position][1] >= each[2]:
            yield each


def _emails(text: str) -> Iterator[_Span]:
    return (match.span() for match in _EMAIL.finditer(text)) if "@" in text else iter(())


def _cards(text: str) -> Iterator[_Span]:
    for match in _CARD.finditer(text):
        # Other numbers may stand right beside it: a quantity before, a security code after.
        groups = [(group.start(), group.end()) for group in _GROUP.finditer(match[0])]
        first = 0
        while first < len(groups):
            for last in range(len(groups) - 1, first - 1, -1):
                start, end = groups[first][0], groups[last][1]
                digits = _SEPARATOR.sub("", match[0][start:end])
                if 13 <= len(digits) <= 19 and _is_issued(digits) and _passes_luhn(digits):
                    yield match.start() + start, match.start() + end
                    first = last
                    break
            first += 1


def _is_issued(digits: str) -> bool:
    """Whether a card of a known network has such a beginning and so many digits."""
    length, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return length in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37):
        return length == 15
    if two in (36, 38, 39) or 3000 <= four <= 3059:
        return length in (14, 16)
    if two in (35, 65) or four == 6011 or 6440 <= four <= 6499:
        return length in (16, 19)
    return two == 62 and length >= 16


def _passes_luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _ibans(text: str) -> Iterator[_Span]:
    end = 0
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None or match.start() < end:
            continue
        stop, characters = match.start(), ""
        while len(characters) < length and stop < len(text):
            character = text[stop]
            if character.isascii() and character.isalnum():
                characters += character
            elif character not in " -" or text[stop - 1] in " -":
                break
            stop += 1
        alone = stop == len(text) or not text[stop].isalnum()
        if len(characters) == length and alone and _passes_mod97(characters):
            end = stop
            yield match.start(), stop


def _passes_mod97(account: str) -> bool:
    turned = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _ssns(text: str) -> Iterator[_Span]:
    return (match.span() for match in _SSN.finditer(text))


def _ips(text: str) -> Iterator[_Span]:
    found = [match for pattern in (_IPV4, _IPV6) for match in pattern.finditer(text)]
    for match in sorted(found, key=lambda match: match.start()):
        try:
            ipaddress.ip_address(match[0])
        except ValueError:
            continue
        yield match.span()


def _phones(text: str) -> Iterator[_Span]:
    found = [match for pattern in (_INTERNATIONAL, _AMERICAN) for match in pattern.finditer(text)]
    found += [match for match in _TRUNK.finditer(text) if not _DATE.match(match[0])]
    # Without a usual form, a number is a phone's only where the text says so.
    found += [match for match in _NUMBER.finditer(text) if _is_spoken_of(text, match.start())]
    end = 0
    for match in sorted(found, key=lambda match: match.start()):
        if match.start() >= end:
            end = match.end()
            yield match.span()


def _is_spoken_of(text: str, start: int) -> bool:
    return _SPOKEN_OF.search(text[max(0, start - _BEFORE) : start]) is not None


_FINDERS: Mapping[Kind, Callable[[str], Iterator[_Span]]] = MappingProxyType(
    {
        "iban": _ibans,
        "card": _cards,
        "ssn": _ssns,
        "email": _emails,
        "ip": _ips,
        "phone": _phones,
    }
)
"""By kind, the surest first."""
