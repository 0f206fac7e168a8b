"""What `interlock chat` talks to, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from interlock.model.base import JsonObject

__all__ = ["Listener", "Talk"]

Listener = Callable[[str, JsonObject], None]
"""Takes the type of a trace event and what is to be shown of it."""


class Talk(Protocol):
    """A conversation with an agent."""

    async def send(self, text: str, listener: Listener) -> JsonObject:
        """The answer to a message, as the API gives it; `listener` hears of the progress."""
        ...
