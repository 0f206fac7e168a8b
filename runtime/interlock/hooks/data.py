"""What hooks are handed and what they give: frozen, so that no plugin can change it for others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from interlock.model.base import Document, Json
from interlock.model.event import TraceEvent
from interlock.turn.guard import Judge

__all__ = [
    "GenerationInfo",
    "GuardContext",
    "PluginSettings",
    "ReloadInfo",
    "Sink",
    "SinkKind",
]


class PluginSettings(Document):
    """The base of a plugin's own settings: camelCase keys, no unknown ones, immutable.

    It has no keys itself. A plugin without a `settings_model` is handed an empty one.
    """


@dataclass(frozen=True, slots=True)
class GuardContext:
    """Where a guard hook is asked, beside what it is to judge."""

    agent: str
    """The name of the agent."""
    judge: Judge
    """Asks the model of the agent's `validate` route."""


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """A configuration that is made ready to answer messages."""

    digest: str
    """Digest of its snapshot."""
    agents: tuple[str, ...]
    """The names of its agents, sorted."""
    plugins: tuple[str, ...]
    """The names of its plugins, in the order in which they were loaded."""


@dataclass(frozen=True, slots=True)
class ReloadInfo:
    """What came of an attempt to change the configuration."""

    status: Literal["applied", "canary", "unchanged", "rejected"]
    trigger: str
    """What it came from: `watch`, `signal`, `api` or `rollback`."""
    digest: str
    """Of the configuration that was offered."""
    active: str
    """Digest of the configuration that new turns run on, now."""
    generation: int
    """Its number."""
    previous: str
    """Digest of the one that new turns ran on before."""
    reason: str | None
    """For `rejected`: such as `invalid`."""
    findings: tuple[Json, ...]
    """Each with `code`, `message`, `file` and `line`, as `interlock check --format json` has it."""


class Sink(Protocol):
    """Takes trace events, one at a time and in order, away from the turns that they are of."""

    def write(self, event: TraceEvent) -> Awaitable[None] | None:
        """Takes one event. It may be an `async def`; otherwise it runs in a thread."""
        ...

    def close(self) -> Awaitable[None] | None:
        """Lets go of whatever is open. Called once, after the last event."""
        ...


@dataclass(frozen=True, slots=True)
class SinkKind:
    """A sink that can be used by its name."""

    settings: type[Document]
    """What may stand under `with:`."""
    build: Callable[[Any], Sink]
    """Makes one from an instance of `settings`; opens nothing, as a check makes one too."""
