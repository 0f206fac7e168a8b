"""How much of the service each customer takes; kept in memory, through all configurations."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from interlock.model.identity import Customers
from interlock.service.problems import ApiError
from interlock.service.sliding_window import Times, admit

__all__ = ["CustomerLimits"]

_MINUTE = 60.0
_HOUR = 3600.0
_MOST_CUSTOMERS = 20_000
_TURN_SECONDS = 2
"""What a customer is told to wait for a turn to end; nobody knows how long it takes."""


@dataclass(slots=True)
class _Share:
    """What one customer took lately."""

    messages: Times = ()
    conversations: Times = ()
    open_turns: int = 0


class CustomerLimits:
    """Refuses what is too much for one customer, so that one cannot crowd the others out.

    The customers who were idle longest are forgotten when there are more than `most`, but never
    one with an open turn.
    """

    def __init__(
        self, *, most: int = _MOST_CUSTOMERS, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most = most
        self._clock = clock
        self._shares: OrderedDict[str, _Share] = OrderedDict()

    def __len__(self) -> int:
        """The customers of whom something is known."""
        return len(self._shares)

    def open_conversation(self, customer: str, limits: Customers) -> None:
        """Counts a new conversation. Raises `ApiError` 429 if it is one too many."""
        limit = limits.conversations_per_hour
        if limit is None:
            return
        share = self._share(customer)
        admission = admit(share.conversations, now=self._clock(), limit=limit, seconds=_HOUR)
        share.conversations = admission.times
        if admission.wait > 0:
            raise _too_much("conversationsPerHour", limit, admission.wait)

    def begin_turn(self, customer: str, limits: Customers) -> Callable[[], None]:
        """Counts a message and its turn. What to call once when the turn has ended.

        Raises `ApiError` 429 if it is one too many.
        """
        share = self._share(customer)
        if limits.open_turns is not None and share.open_turns >= limits.open_turns:
            raise _too_much("openTurns", limits.open_turns, _TURN_SECONDS)
        if limits.messages_per_minute is not None:
            limit = limits.messages_per_minute
            admission = admit(share.messages, now=self._clock(), limit=limit, seconds=_MINUTE)
            share.messages = admission.times
            if admission.wait > 0:
                raise _too_much("messagesPerMinute", limit, admission.wait)
        # Also counted without a limit: one may be declared while the turn runs.
        share.open_turns += 1

        def end() -> None:
            share.open_turns -= 1

        return end

    def _share(self, customer: str) -> _Share:
        share = self._shares.get(customer)
        if share is None:
            share = self._shares[customer] = _Share()
            self._make_room()
        self._shares.move_to_end(customer)
        return share

    def _make_room(self) -> None:
        for _ in range(len(self._shares)):
            if len(self._shares) <= self._most:
                return
            customer, share = next(iter(self._shares.items()))
            if share.open_turns:
                self._shares.move_to_end(customer)
            else:
                del self._shares[customer]


def _too_much(key: str, limit: int, wait: float) -> ApiError:
    seconds = max(1, math.ceil(wait))
    return ApiError(
        429,
        "too_many_requests",
        f"this customer has reached customers.{key} ({limit}); try again in {seconds} s",
        headers={"retry-after": str(seconds)},
        members={"limit": f"customers.{key}"},
    )
