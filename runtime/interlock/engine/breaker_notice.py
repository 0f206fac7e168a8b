"""What others hear of breakers: operators of every change, customers of a pause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from interlock.breakers.status import State
from interlock.errors import InterlockError

__all__ = ["Notice", "Paused"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A breaker has changed its state."""

    breaker: str
    key: str
    """The YAML key that it goes by."""
    state: State
    why: str
    who: str | None
    """The operator who changed it; None if it was nobody."""
    at: datetime


class Paused(InterlockError):
    """A message is not taken now, because a breaker is open. The text is for customers."""

    code = "paused"

    def __init__(self, breaker: str, *, retry_after: float, of_customer: bool = False) -> None:
        self.breaker = breaker
        self.retry_after = max(1.0, retry_after)
        """Seconds."""
        self.of_customer = of_customer
        """Whether it is only this customer's messages that are not taken."""
        super().__init__("no new messages can be taken right now; please try again later")
