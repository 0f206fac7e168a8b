"""What the API gives and takes about emergency switches, as pydantic models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from interlock.service.schemas import Schema, SwitchView

__all__ = ["NewSwitch", "NewToolSwitch", "SwitchList"]

Why = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    Field(examples=["refunds are made twice"]),
]


class NewSwitch(Schema):
    """What switches an agent off."""

    why: Why
    """Operators read it in the trace, in health and in the log; customers and models do not."""


class NewToolSwitch(Schema):
    """What switches a tool off."""

    why: Why
    """Operators read it in the trace, in health and in the log; customers and models do not."""
    agent: str | None = Field(default=None, examples=["support"])
    """The only agent for which the tool is to be off; for all if left out."""


class SwitchList(Schema):
    """All that is switched off."""

    switches: list[SwitchView]
    """Oldest first."""
