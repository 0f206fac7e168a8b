"""Error results: what a failed call may say about what happened, and about trying again."""

from __future__ import annotations

from interlock.model.result import Effect, ToolResult

__all__ = ["UNKNOWN", "fail", "fail_unknown", "shorten", "timed_out"]

UNKNOWN = "it is not known whether this happened: do not repeat it"
"""What the model reads about a mutation that may or may not have taken effect."""

_LONGEST_MESSAGE = 500


def shorten(text: str, most: int = _LONGEST_MESSAGE) -> str:
    """The text on one line, cut to `most` characters."""
    # A large text is cut before it is walked; the margin is for the blanks that will go.
    line = " ".join(text[: most * 4].split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def fail(message: str, *, retryable: bool = False, effect: Effect = "none") -> ToolResult:
    """A failed call that is known to have changed nothing, unless `effect` says otherwise."""
    # What may have happened already must not look as if it could be tried again.
    repeatable = retryable and effect != "unknown"
    return ToolResult.error(shorten(message), retryable=repeatable, effect=effect)


def fail_unknown(message: str, *, mutation: bool, retryable: bool) -> ToolResult:
    """A call of which the end was not seen: a mutation may have happened, a read did not."""
    if mutation:
        return fail(f"{message}; {UNKNOWN}", effect="unknown")
    return fail(message, retryable=retryable)


def timed_out(timeout_seconds: float, *, mutation: bool) -> ToolResult:
    """A call that was begun and did not end in time."""
    message = f"no answer within {timeout_seconds:g} s"
    return fail_unknown(message, mutation=mutation, retryable=True)
