"""Remembering what pure functions gave, so that a reload computes only what has changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

__all__ = ["forget_unused", "remembered", "remembered_for"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_MOST = 50_000
"""Results of one function that are kept if nobody ever forgets."""

_NOTHING = object()


class _Memory:
    """Results by arguments, in two ages: what was asked for lately, and what was before."""

    __slots__ = ("older", "recent")

    def __init__(self) -> None:
        self.recent: dict[tuple[Any, ...], Any] = {}
        self.older: dict[tuple[Any, ...], Any] = {}

    def age(self) -> None:
        self.older, self.recent = self.recent, {}


_MEMORIES: list[_Memory] = []


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which is not called again for arguments that it has been called with lately.

    For pure functions of hashable positional arguments whose results nobody changes. Safe in
    several threads; an exception is not remembered.
    """
    memory = _Memory()
    _MEMORIES.append(memory)

    @wraps(function)
    def recall(*args: Any) -> Any:
        found = memory.recent.get(args, _NOTHING)
        if found is not _NOTHING:
            return found
        found = memory.older.get(args, _NOTHING)
        if found is _NOTHING:
            found = cast(Callable[..., R], function)(*args)
        if len(memory.recent) >= _MOST:
            memory.age()
        memory.recent[args] = found
        return found

    return cast(Callable[P, R], recall)


def remembered_for(function: Callable[Concatenate[T, P], R]) -> Callable[Concatenate[T, P], R]:
    """The same for a function whose first argument cannot be compared: the very same object.

    Nobody may change the object, which is kept for as long as the result is.
    """

    @remembered
    def recall(same: _Same, *args: Any) -> Any:
        return cast(Callable[..., R], function)(same.object, *args)

    @wraps(function)
    def ask(first: T, *args: Any) -> Any:
        return recall(_Same(first), *args)

    return cast(Callable[Concatenate[T, P], R], ask)


class _Same:
    """Equal only for the same object."""

    __slots__ = ("object",)

    def __init__(self, value: object) -> None:
        self.object = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.object is other.object

    def __hash__(self) -> int:
        return id(self.object)


def forget_unused() -> None:
    """Drops every result that has not been asked for since the last time this was called.

    Called with each new generation, this keeps the memory as large as the configuration.
    """
    for memory in _MEMORIES:
        memory.age()
