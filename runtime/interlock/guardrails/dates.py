"""Days of the calendar in a text, compared by the day and not by how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import date

__all__ = ["Day", "FoundDay", "blank_days", "find_days"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan january", "feb february", "mar march", "apr april", "may", "jun june"),
            *("jul july", "aug august", "sep sept september", "oct october", "nov november"),
            "dec december",
        ),
        1,
    )
    for name in names.split()
}
# The first letter is looked at alone, as most words are no months.
_MONTH = rf"(?=[jfmasond])(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TO = r"(?:\s?[-\u2013]\s?(?P<until>\d{1,2})(?:st|nd|rd|th)?)?"
_YEAR = r"(?:,?\s(?P<year>\d{4}))?"

_ISO = re.compile(r"(?<![\w-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d|-\d)")
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s(?:the\s)?{_DAY}{_TO}(?!\w){_YEAR}(?![\w:])", re.I)
_DAY_FIRST = re.compile(rf"(?<![\w.,]){_DAY}{_TO}\.?\s(?:of\s)?{_MONTH}(?!\w){_YEAR}", re.I)
_MONTHS_NAMED = re.compile(rf"\b{_MONTH}\b", re.I)
_NUMERIC = re.compile(
    r"(?<![\w./-])(?P<one>\d{1,2})(?P<sep>[./-])(?P<two>\d{1,2})(?P=sep)"
    r"(?P<year>\d{4}|\d{2})(?![\w/-])"
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day; the year may be left open."""

    year: int | None
    month: int
    day: int

    def is_among(self, days: Set[Day]) -> bool:
        """Whether one of the days is this one, as far as their years are known."""
        if self in days or Day(None, self.month, self.day) in days:
            return True
        return self.year is None and any(
            (self.month, self.day) == (other.month, other.day) for other in days
        )


@dataclass(frozen=True, slots=True)
class FoundDay:
    """A day as it is written, and the days that this can mean."""

    text: str
    start: int
    end: int
    meanings: frozenset[Day]


def find_days(text: str) -> Iterator[FoundDay]:
    """Every date with a day and a month; what is relative, such as `tomorrow`, is none."""
    for match in _ISO.finditer(text):
        yield from _found(match, [_day(match["year"], int(match["month"]), match["day"])])
    for pattern in (_MONTH_FIRST, _DAY_FIRST) if _MONTHS_NAMED.search(text) else ():
        for match in pattern.finditer(text):
            month = _MONTHS[match["month"].lower()]
            yield from _found(match, [_day(match["year"], month, match["day"])])
            if match["until"] is not None:
                yield from _found(match, [_day(match["year"], month, match["until"])])
    for match in _NUMERIC.finditer(text):
        year = match["year"] if len(match["year"]) == 4 else f"20{match['year']}"
        one, two = match["one"], match["two"]
        yield from _found(match, [_day(year, int(one), two), _day(year, int(two), one)])


def blank_days(text: str, days: Iterable[FoundDay]) -> str:
    """The text with a space for each date, so that no part of one is taken for a number."""
    parts: list[str] = []
    end = 0
    for found in sorted(days, key=lambda each: each.start):
        if found.start >= end:
            parts += (text[end : found.start], " ")
            end = found.end
    return "".join((*parts, text[end:]))


def _found(match: re.Match[str], days: list[Day | None]) -> Iterator[FoundDay]:
    meanings = frozenset(day for day in days if day is not None)
    if meanings:
        yield FoundDay(match[0], match.start(), match.end(), meanings)


def _day(year: str | None, month: int, day: str) -> Day | None:
    try:
        # 2000 had every day that there is.
        date(2000 if year is None else int(year), month, int(day))
    except ValueError:
        return None
    return Day(None if year is None else int(year), month, int(day))
