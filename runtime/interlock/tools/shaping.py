"""What of a tool's data the model sees: projected, and cut to size with every cut named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from jmespath.exceptions import JMESPathError
from pydantic_core import from_json, to_json

from interlock.model.base import Json, JsonObject

__all__ = ["BYTES_PER_TOKEN", "Projection", "Shaped", "project", "shrink"]

BYTES_PER_TOKEN = 3
"""Bytes of compact JSON that are taken for one token: an estimate on the safe side."""

_ALL = 1 << 40
"""A limit that limits nothing."""

_DEEPEST = 100
"""Levels that are kept of data that has to be cut."""

_CUTTABLE = frozenset({str, list, tuple, dict})

_MARGIN = 40
"""Characters; a text is only cut if that saves more than the marker takes."""

_MOST_NOTES = 10
_LONGEST_NAME = 80


class Projection(Protocol):
    """A compiled JMESPath expression."""

    @property
    def expression(self) -> str:
        """The expression's text."""
        ...

    def search(self, value: Json) -> Json:
        """What the expression selects."""
        ...


@dataclass(frozen=True, slots=True)
class Shaped:
    """Data as the model sees it, and what is missing from it."""

    data: Json
    cut: tuple[str, ...] = ()


def project(data: Json, select: Projection | None) -> Shaped:
    """The fields that `select` keeps; an expression that finds nothing is reported as a cut.

    Data that was left out on purpose never shows because an expression fails.
    """
    if select is None or data is None:
        return Shaped(data)
    try:
        selected = select.search(data)
    except (JMESPathError, TypeError, ValueError, ArithmeticError) as error:
        reason = str(error).partition("\n")[0]
        return Shaped(None, (f"select '{select.expression}' does not fit the data: {reason}",))
    if selected is None:
        return Shaped(None, (f"select '{select.expression}' matched nothing",))
    return Shaped(selected)


def shrink(data: Json, max_tokens: int) -> Shaped:
    """Data whose compact JSON takes at most `max_tokens`, unchanged if it already fits.

    Long texts are cut first, then lists to their first items, then objects to their first
    fields, then what lies too deep. The same data is always cut in the same way.
    """
    most = max_tokens * BYTES_PER_TOKEN
    try:
        encoded = to_json(data)
        if b"Infinity" in encoded or b"NaN" in encoded:
            from_json(encoded, allow_inf_nan=False)
        if len(encoded) <= most:
            return Shaped(data)
    except ValueError as error:
        return Shaped(None, (f"everything: not representable as JSON: {error}",))
    for stage, lowest, highest in _STAGES:
        fitting = _fit(data, most, stage(lowest))
        if fitting is not None:
            return _largest(data, most, stage, lowest, highest) or fitting
    return Shaped(None, (f"everything: {len(encoded)} bytes are too large",))


@dataclass(frozen=True, slots=True)
class _Limits:
    characters: int = _ALL
    items: int = _ALL
    fields: int = _ALL
    depth: int = _DEEPEST


_STAGES: tuple[tuple[Callable[[int], _Limits], int, int], ...] = (
    (lambda n: _Limits(n), 200, _ALL),
    (lambda n: _Limits(200, n), 3, _ALL),
    (lambda n: _Limits(n, 3), 40, 200),
    (lambda n: _Limits(40, n), 1, 3),
    (lambda n: _Limits(40, 1, n), 1, _ALL),
    (lambda n: _Limits(40, 1, 1, n), 0, _DEEPEST),
    (lambda n: _Limits(n, 0, 0, 0), 0, 40),
)
"""What is cut, gentlest first: limits by one number, from the lowest worth trying."""


def _largest(
    data: Json, most: int, stage: Callable[[int], _Limits], lowest: int, highest: int
) -> Shaped | None:
    """What is kept under the largest limit above `lowest` that fits, to within a sixteenth.

    What fits with one limit fits with all below. A trial costs what it keeps, so the limit is
    doubled from below: that takes no longer than one trial of the full size.
    """
    best, low, high = None, lowest, highest + 1
    step = max(1, lowest)
    while high - low > 1 + low // 16:
        middle = min(low + step, (low + high) // 2)
        trial = _fit(data, most, stage(middle))
        if trial is None:
            high = middle
        else:
            best, low = trial, middle
            step *= 2
    return best


class _TooLarge(Exception):
    """The data does not fit under these limits."""


def _fit(data: Json, most: int, limits: _Limits) -> Shaped | None:
    cutter = _Cutter(most, limits)
    try:
        shown = cutter.take(data, 0)
    except _TooLarge:
        return None
    return Shaped(shown, tuple(cutter.notes()))


@dataclass(frozen=True, slots=True)
class _Cut:
    path: tuple[str | int, ...]
    kind: str
    what: str


class _Cutter:
    """Copies data under limits and stops as soon as the copy is too large.

    So a trial costs what may be kept of the data, however large the data is.
    """

    def __init__(self, most: int, limits: _Limits) -> None:
        self._left = most
        self._limits = limits
        self._longest = limits.characters + _MARGIN
        self._path: list[str | int] = []
        self._cuts: list[_Cut] = []

    def take(self, value: Json, depth: int) -> Json:
        """As much of the value as the limits leave. Raises `_TooLarge`."""
        if isinstance(value, dict):
            return self._object(value, depth)
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        if isinstance(value, str) and len(value) > self._longest:
            keep = self._limits.characters
            missing = len(value) - keep
            self._note("texts", f"{missing} characters cut")
            value = f"{value[:keep]}… [{missing} characters cut]"
        self._spend(len(to_json(value)))
        return value

    def notes(self) -> Iterator[str]:
        """Every cut in words; cuts of the same kind at the same place of many items as one."""
        places = Counter((_pattern(cut.path), cut.kind) for cut in self._cuts)
        single = {(_pattern(cut.path), cut.kind): cut for cut in self._cuts}
        for (pattern, kind), count in islice(places.items(), _MOST_NOTES):
            if count == 1:
                cut = single[pattern, kind]
                yield f"{_name(cut.path)}: {cut.what}"
            else:
                yield f"{_name(pattern)}: {count} {kind} cut"
        if len(places) > _MOST_NOTES:
            yield f"{len(places) - _MOST_NOTES} more places"

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _TooLarge

    def _note(self, kind: str, what: str) -> None:
        self._cuts.append(_Cut(tuple(self._path), kind, what))

    def _list(self, value: list[Json] | tuple[Json, ...], depth: int) -> list[Json]:
        keep = self._limits.items if depth < self._limits.depth else 0
        if len(value) > keep:
            self._note("lists", f"{keep} of {len(value)} shown")
        # Brackets and commas.
        self._spend(2 + max(0, min(len(value), keep) - 1))
        shown = []
        for index, item in enumerate(islice(value, keep)):
            if self._is_whole(item):
                self._spend(len(to_json(item)))
                shown.append(item)
            else:
                self._path.append(index)
                shown.append(self.take(item, depth + 1))
                self._path.pop()
        return shown

    def _object(self, value: JsonObject, depth: int) -> JsonObject:
        keep = self._limits.fields if depth < self._limits.depth else 0
        if len(value) > keep:
            self._note("objects", f"{keep} of {len(value)} fields shown")
        self._spend(2 + max(0, min(len(value), keep) - 1))
        shown = {}
        for key, item in islice(value.items(), keep):
            if self._is_whole(item):
                self._spend(len(to_json(key)) + 1 + len(to_json(item)))
                shown[key] = item
            else:
                self._spend(len(to_json(key)) + 1)
                self._path.append(key)
                shown[key] = self.take(item, depth + 1)
                self._path.pop()
        return shown

    def _is_whole(self, value: Json) -> bool:
        """Whether no limit can apply to the value; true of most, and so worth knowing first."""
        kind = type(value)
        return kind not in _CUTTABLE or (kind is str and len(value) <= self._longest)


def _pattern(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return tuple(-1 if isinstance(step, int) else step for step in path)


def _name(path: tuple[str | int, ...]) -> str:
    """The path as text, such as `events[3].note`; `[*]` stands for many items."""
    name = ""
    for step in path:
        if isinstance(step, int):
            name += "[*]" if step < 0 else f"[{step}]"
        else:
            name += f".{step}" if name else step
        if len(name) > _LONGEST_NAME:
            return f"{name[:_LONGEST_NAME]}…"
    return name or "result"
