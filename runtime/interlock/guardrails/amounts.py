"""Amounts of money and other numbers in a text, compared by value and not by how they look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

__all__ = ["find_amounts", "find_numbers"]

# Possessive, and begun only where no number is under way: each character is read once.
_NUMBER = re.compile(r"(?<![\w.,])(?<![A-Za-z]-)\d++(?:[.,'\u00a0\u202f]\d++)*+")

_SIGN = r"(?:(?:US|CA|AU|NZ|HK|S)?\$|[€£¥₹])"
_CODE = r"(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|INR|CNY)"
_WORD = r"(?:dollars?|euros?|pounds?(?: sterling)?|francs?|yen|bucks|rupees?)"
_BEFORE = re.compile(rf"(?:{_SIGN}|\b{_CODE})[ \u00a0\u202f]?$", re.IGNORECASE)
_AFTER = re.compile(rf"[ \u00a0\u202f]?(?:{_SIGN}|(?:{_CODE}|{_WORD})\b)", re.IGNORECASE)
_NEAR = 5
"""Characters before a number in which its currency stands."""

_CENTS = re.compile(r"(?:cents|minor(?:_?units)?)\"?\s?[:=]\s?$", re.IGNORECASE)
_KEY = 24
_LONGEST = 30


def find_amounts(text: str) -> Iterator[tuple[str, frozenset[Decimal]]]:
    """Each amount as it is written with its currency, and the values that it can mean."""
    for match in _NUMBER.finditer(text):
        before = _BEFORE.search(text[max(0, match.start() - _NEAR) : match.start()])
        after = _AFTER.match(text, match.end())
        if before is None and after is None:
            continue
        start = match.start() - (0 if before is None else len(before[0]))
        end = match.end() if after is None else after.end()
        yield text[start:end].strip(), frozenset(_values(match[0]))


def find_numbers(text: str) -> Iterator[Decimal]:
    """The value of every number; of one with a key such as `amountCents` also its hundredth."""
    for match in _NUMBER.finditer(text):
        values = _values(match[0])
        yield from values
        before = text[max(0, match.start() - _KEY) : match.start()]
        if before.rstrip()[-1:] in (":", "=") and _CENTS.search(before):
            yield from (value / 100 for value in values)


def _values(written: str) -> list[Decimal]:
    """What a number means; `1.234` may be more than a thousand or little more than one."""
    if len(written) > _LONGEST:
        return []
    plain = re.sub(r"['\u00a0\u202f]", "", written)
    separators = [character for character in plain if character in ".,"]
    if not separators:
        return [Decimal(plain)]
    last = separators[-1]
    whole, _, part = plain.rpartition(last)
    thousands = Decimal(re.sub("[.,]", "", plain))
    decimal = Decimal(f"{re.sub('[.,]', '', whole)}.{part}")
    if len(set(separators)) == 2:
        return [decimal]
    if len(separators) > 1:
        return [thousands]
    return [thousands, decimal] if len(part) == 3 else [decimal]
