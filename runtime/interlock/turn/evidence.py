"""What a turn's answer can be checked against: what was really said and looked up. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_core import to_json

from interlock.model.turn import TurnRequest
from interlock.turn.guard import Evidence
from interlock.turn.state import Exchange

__all__ = ["gather_evidence"]


def gather_evidence(request: TurnRequest, exchanges: Sequence[Exchange]) -> tuple[Evidence, ...]:
    """The conversation's messages and this turn's tool results, oldest first.

    The results of earlier turns are not kept, but what earlier answers took from them was
    checked before it was sent.
    """
    said = [
        Evidence("customer" if message.role == "customer" else "reply", message.text)
        for message in request.transcript
    ]
    found = [
        Evidence(
            "tool",
            to_json(result.for_model()).decode(),
            tool=call.name,
            failed=result.status == "error",
            arguments=call.input,
        )
        for exchange in exchanges
        for call, result in zip(exchange.calls, exchange.results, strict=True)
    ]
    return (*said, Evidence("customer", request.text), *found)
