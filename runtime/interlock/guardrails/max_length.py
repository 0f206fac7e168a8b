"""`max_length`: refuses texts that are too long to be what they should be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from interlock.model.base import Document
from interlock.turn.guard import Deny, GuardrailInput, Judge

__all__ = ["MaxLength", "MaxLengthSettings"]


class MaxLengthSettings(Document):
    """The settings of `max_length`."""

    characters: Annotated[int, Field(ge=1)] = 5000
    """The longest text that passes."""


class MaxLength:
    """Counts characters."""

    name = "max_length"

    def __init__(self, settings: MaxLengthSettings) -> None:
        self._most = settings.characters

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """Denies a text that is too long."""
        if len(data.text) <= self._most:
            return None
        return Deny(f"it has {len(data.text)} characters; at most {self._most} are allowed")
