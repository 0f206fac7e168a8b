"""How a new configuration is tried on a share of the conversations first."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from interlock.model.base import Document, Duration, Quantity

__all__ = ["AbortOn", "Canary", "Factor", "Multiple", "Percentage", "Share"]

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_TIMES = re.compile(r"(\d+(?:\.\d+)?)x")


class Share(Quantity):
    """A part of a whole, above 0 and at most 1."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self * 100:g}%"


class Factor(Quantity):
    """How many times as much, at least 1."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{float(self):g}x"


def _parse_share(value: object) -> Share:
    if isinstance(value, Share):
        return value
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    share = float(match[1]) / 100 if match else 0.0
    if not 0 < share <= 1:
        message = "must be a share such as 10%, above 0% and at most 100%"
        raise PydanticCustomError("quantity", message)
    return Share(share)


def _parse_factor(value: object) -> Factor:
    if isinstance(value, Factor):
        return value
    match = _TIMES.fullmatch(value) if isinstance(value, str) else None
    factor = float(match[1]) if match else 0.0
    if factor < 1:
        raise PydanticCustomError("quantity", "must be a factor such as 1.5x, and at least 1x")
    return Factor(factor)


Percentage = Annotated[
    Share,
    PlainValidator(_parse_share),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?%$", "examples": ["10%"]}),
]
"""A share, written as `10%`."""

Multiple = Annotated[
    Factor,
    PlainValidator(_parse_factor),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?x$", "examples": ["1.5x"]}),
]
"""A factor, written as `1.5x`."""


class AbortOn(Document):
    """How much worse than the active configuration's turns those of a canary may be."""

    escalation_rate: Multiple = Factor(1.5)
    """Turns that ended with a person, of all turns."""
    cost_per_turn: Multiple = Factor(1.5)
    """What a turn cost on average."""
    error_rate: Multiple = Factor(1.5)
    """Turns that failed or ended incomplete, of all turns."""
    refusal_rate: Multiple = Factor(1.5)
    """Turns that were refused, of all turns: a guardrail that is too strict."""


class Canary(Document):
    """A new configuration serves a share of new conversations, until it has proved itself."""

    share: Percentage = Share(0.1)
    """The share of new conversations; each stays with the configuration it began with."""
    for_: Duration = Field(default=timedelta(minutes=30), alias="for")
    """How long it is tried before it is promoted."""
    min_turns: Annotated[int, Field(ge=1)] = 20
    """Turns of either configuration without which nothing is concluded."""
    abort_on: AbortOn = AbortOn()
    """What ends the trial at once."""
