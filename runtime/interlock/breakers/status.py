"""What is kept of any breaker: its state, since when and why, and what operators have said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interlock.model.base import JsonObject

__all__ = ["Change", "State", "Status"]

State = Literal["closed", "open", "half_open"]
"""`closed` lets everything pass, `open` stops it, `half_open` lets a little pass to see."""


@dataclass(frozen=True, slots=True)
class Change:
    """A breaker has changed its state."""

    state: State
    why: str


@dataclass(slots=True)
class Status:
    """The state of one breaker; times are seconds since the epoch."""

    state: State = "closed"
    since: float | None = None
    """When it came to be in this state; None if it has always been."""
    why: str | None = None
    who: str | None = None
    """The operator who brought it about; None if it was nobody."""
    until: float | None = None
    """When it is probed, tried or judged again; None if nothing is known about that."""
    held: bool = False
    """Whether an operator has tripped it: then it stays open until it is reset."""
    disabled: bool = False
    """Whether an operator has disabled it: then it stops nothing."""
    opens: int = 0
    """How often it has opened since it last worked well."""

    def move(self, state: State, now: float, why: str, *, until: float | None = None) -> Change:
        """Brings it into a state by itself."""
        self.state, self.since, self.why, self.who = state, now, why, None
        self.until = until
        return Change(state, why)

    def trip(self, now: float, *, who: str | None, why: str) -> Change:
        """Opens it until somebody resets it."""
        self.state, self.since, self.why, self.who = "open", now, why, who
        self.until, self.held, self.disabled = None, True, False
        return Change("open", why)

    def reset(self, now: float, *, who: str | None, why: str) -> Change:
        """Closes it, whatever opened it."""
        self.state, self.since, self.why, self.who = "closed", now, why, who
        self.until, self.held, self.opens = None, False, 0
        return Change("closed", why)

    def disable(self, now: float, *, who: str | None, why: str) -> Change:
        """Closes it, and keeps it from opening."""
        change = self.reset(now, who=who, why=why)
        self.disabled = True
        return change

    def enable(self, now: float, *, who: str | None, why: str) -> Change:
        """Lets it open again."""
        self.disabled = False
        self.since, self.why, self.who = now, why, who
        return Change(self.state, why)

    def to_json(self) -> JsonObject:
        """The status as it is kept."""
        return {
            "state": self.state,
            "since": self.since,
            "why": self.why,
            "who": self.who,
            "until": self.until,
            "held": self.held,
            "disabled": self.disabled,
            "opens": self.opens,
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> Status:
        """The inverse of `to_json`."""
        return cls(
            state=value["state"],
            since=value["since"],
            why=value["why"],
            who=value["who"],
            until=value["until"],
            held=value["held"],
            disabled=value["disabled"],
            opens=value["opens"],
        )
