"""What was on disk when: which configurations the service may have made active, and must have."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interlock.config.source import read_tree

__all__ = ["Journal", "State"]


@dataclass(frozen=True, slots=True)
class State:
    """What the files were from one change to the next."""

    digest: str
    valid: bool
    begun: float
    """Monotonic seconds just before the change that led to it."""
    made: float
    """The same just after."""


class Journal:
    """Every state of the files since the last checkpoint, by whoever changes them."""

    def __init__(self, project: Path, *, quiet_seconds: float) -> None:
        self._project = project
        self._quiet = quiet_seconds
        now = time.monotonic()
        self._states = [State(read_tree(project).digest, True, now, now)]

    @property
    def now(self) -> State:
        """What the files are."""
        return self._states[-1]

    def record(self, change: Callable[[], object], *, valid: bool) -> None:
        """Makes a change that nobody can see half of. `valid` is what the files then are."""
        begun = time.monotonic()
        change()
        made, digest = time.monotonic(), read_tree(self._project).digest
        if digest != self.now.digest:
            self._states.append(State(digest, valid, begun, made))

    def may_be_active(self) -> set[str]:
        """The valid configurations that were there for the quiet time since the checkpoint."""
        ends = [*(state.made for state in self._states[1:]), time.monotonic()]
        spans: dict[str, tuple[float, float]] = {}
        for state, end in zip(self._states, ends, strict=True):
            if state.valid:
                first, _ = spans.get(state.digest, (state.begun, end))
                spans[state.digest] = (first, end)
        return {digest for digest, (first, end) in spans.items() if end - first >= self._quiet}

    def checkpoint(self) -> None:
        """Forgets all but what the files are."""
        del self._states[:-1]
