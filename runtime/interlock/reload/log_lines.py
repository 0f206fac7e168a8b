"""The generation in every line of the log: that of the turn, or the active one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from interlock.reload.generations import Generations
from interlock.reload.held import PINNED

__all__ = ["FORMAT", "name_generations", "new_formatter"]

FORMAT = "%(asctime)s %(levelname)s generation=%(generation)s %(name)s: %(message)s"
"""A line of the log; the generation is `-` before there is one."""


def new_formatter() -> logging.Formatter:
    """Formats lines, whether or not they know of a generation."""
    return logging.Formatter(FORMAT, defaults={"generation": "-"})


@contextmanager
def name_generations(generations: Generations) -> Iterator[None]:
    """Gives the lines of all handlers of the process the number of a generation, meanwhile."""
    naming, handlers = _Naming(generations, PINNED), list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(naming)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(naming)


class _Naming(logging.Filter):
    def __init__(self, generations: Generations, pinned: ContextVar[int | None]) -> None:
        super().__init__()
        self._generations = generations
        self._pinned = pinned

    def filter(self, record: logging.LogRecord) -> bool:
        record.generation = self._pinned.get() or self._generations.active.number
        return True
