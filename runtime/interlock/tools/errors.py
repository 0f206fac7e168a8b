"""What a plugin's function raises to say how its call ended."""

from __future__ import annotations

from interlock.model.result import Effect

__all__ = ["NotFound", "ToolError"]


class NotFound(Exception):
    """There is no such thing. The model reads the message as a normal, final answer."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class ToolError(Exception):
    """The call failed, for a reason that the model may read.

    `retryable` says whether the same call may work later. `effect` says what a mutation changed;
    left out, it counts as unknown, so raise with `effect="none"` when nothing was changed.
    """

    def __init__(
        self, message: str, *, retryable: bool = False, effect: Effect | None = None
    ) -> None:
        self.message = message
        self.retryable = retryable
        self.effect = effect
        super().__init__(message)
