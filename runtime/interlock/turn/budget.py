"""The budget of a conversation: reserved before each model call, settled after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interlock.model.turn import Spent
from interlock.model.usage import Price

__all__ = ["Budget", "Reservation", "Room", "Shortage", "affordable", "estimate_tokens"]

_BYTES_A_TOKEN = 3
"""There is no offline tokenizer; English has about 4 bytes a token, so 3 errs on the safe side."""


def estimate_tokens(size: int, known: tuple[int, int] | None = None) -> int:
    """The tokens of a request of `size` bytes, rather too many than too few.

    `known` is (bytes, tokens) of an earlier request with the same beginning: what both share
    is taken at its true count, and only what was added is estimated. Of a shorter request,
    which leaves something out, the true count is taken by its share.
    """
    if known is None:
        return -(-size // _BYTES_A_TOKEN)
    known_size, known_tokens = known
    if size >= known_size:
        return known_tokens + -(-(size - known_size) // _BYTES_A_TOKEN)
    share = -(-known_tokens * size // known_size)
    return min(known_tokens, max(share, -(-size // _BYTES_A_TOKEN)))


@dataclass(frozen=True, slots=True)
class Room:
    """How large a last request may be."""

    prompt_bytes: int
    output_tokens: int


def affordable(tokens_left: int, cost_left: int | None, price: Price | None) -> Room:
    """The largest last request: half of what is left for the prompt, half for the answer."""
    prompt = output = tokens_left // 2
    if cost_left is not None and price is not None:
        prompt = min(prompt, _tokens_for(cost_left // 2, price.worst(1000, 0)))
        output = min(output, _tokens_for(cost_left // 2, price.worst(0, 1000)))
    return Room(prompt * _BYTES_A_TOKEN, output)


def _tokens_for(cost_nano: int, cost_of_thousand: int) -> int:
    # One token less than it could be: costs are rounded up.
    return max(0, cost_nano * 1000 // cost_of_thousand - 1) if cost_of_thousand else 10**9


@dataclass(frozen=True, slots=True)
class Reservation:
    """Budget held for one model call."""

    tokens: int
    cost_nano: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a reservation does not fit."""

    limit: Literal["tokens", "cost"]
    needed: int
    left: int
    """In tokens, or in nano-dollars."""


class Budget:
    """Tokens and nano-dollars of one conversation.

    Spent plus held never passes a limit by a reservation. Whoever reserves must settle, also
    when the call fails: an unknown outcome is settled at what was reserved.
    """

    def __init__(
        self,
        *,
        max_tokens: int,
        max_cost_nano: int | None,
        reserve_tokens: int,
        reserve_cost_nano: int,
        spent: Spent,
    ) -> None:
        self.max_tokens = max_tokens
        self.max_cost_nano = max_cost_nano
        self.reserve_tokens = reserve_tokens
        self.reserve_cost_nano = reserve_cost_nano
        self._tokens = spent.tokens
        self._cost_nano = spent.cost_nano
        self._held_tokens = 0
        self._held_cost_nano = 0

    @property
    def tokens_left(self) -> int:
        """Tokens that are neither spent nor held, the final reserve included."""
        return max(0, self.max_tokens - self._tokens - self._held_tokens)

    @property
    def cost_left(self) -> int | None:
        """Nano-dollars that are neither spent nor held; None without a cost limit."""
        if self.max_cost_nano is None:
            return None
        return max(0, self.max_cost_nano - self._cost_nano - self._held_cost_nano)

    @property
    def share_used(self) -> float:
        """How much of the tighter limit is spent, from 0 to 1 and beyond."""
        share = self._tokens / self.max_tokens
        if self.max_cost_nano:
            share = max(share, self._cost_nano / self.max_cost_nano)
        return share

    def reserve(
        self, tokens: int, cost_nano: int, *, final: bool = False
    ) -> Reservation | Shortage:
        """Holds budget for a call, or says what is short. `final` may use the final reserve."""
        left = self.tokens_left - (0 if final else self.reserve_tokens)
        if tokens > left:
            return Shortage("tokens", tokens, max(0, left))
        cost_left = self.cost_left
        if cost_left is not None:
            cost_left -= 0 if final else self.reserve_cost_nano
            if cost_nano > cost_left:
                return Shortage("cost", cost_nano, max(0, cost_left))
        self._held_tokens += tokens
        self._held_cost_nano += cost_nano
        return Reservation(tokens, cost_nano)

    def settle(self, reservation: Reservation, tokens: int, cost_nano: int) -> None:
        """Replaces what was held by what was used."""
        self._held_tokens -= reservation.tokens
        self._held_cost_nano -= reservation.cost_nano
        self._tokens += tokens
        self._cost_nano += cost_nano
