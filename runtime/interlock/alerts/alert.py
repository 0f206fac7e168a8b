"""What operators are told, and when it would be telling them the same thing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from interlock.model.base import JsonObject

__all__ = ["Alert", "AlertState", "Deduplication"]

AlertState = Literal["firing", "resolved"]
"""Whether it is to be looked at, or over."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that an operator has to look at, or that has passed."""

    id: str
    """Names the alert, so that a receiver knows one that comes twice."""
    source: str
    """What it is about, such as the name of a breaker."""
    state: AlertState
    summary: str
    key: str
    """The YAML key that decides about it."""
    at: datetime
    who: str | None = None
    """The operator who brought it about; None if it was nobody."""

    def to_json(self) -> JsonObject:
        """The body of a webhook."""
        return {
            "id": self.id,
            "type": "alert",
            "source": self.source,
            "state": self.state,
            "summary": self.summary,
            "key": self.key,
            "at": self.at.isoformat(),
            "who": self.who,
        }


class Deduplication:
    """Lets one alert pass for each source and state: firing once, and resolved once after it."""

    def __init__(self) -> None:
        self._firing: set[str] = set()

    def is_news(self, source: str, state: AlertState) -> bool:
        """Whether operators do not know this already."""
        known = source in self._firing
        if state == "firing":
            self._firing.add(source)
            return not known
        self._firing.discard(source)
        return known
