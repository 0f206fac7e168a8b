"""What the process's exit code means. Scripts rely on these numbers."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Exit"]


class Exit(IntEnum):
    """The exit codes of every command; 130 is an interruption by the user."""

    OK = 0
    FAILED = 1
    """What was asked for did not come about: invalid files, no answer, nothing of that name."""
    USAGE = 2
    """The command line itself is wrong."""
    WARNINGS = 3
    """Valid, but with warnings, and `--strict` was given."""
    REFUSED = 4
    """The configuration is not valid, so nothing was started."""
    UNEXPECTED = 5
    """A fault of Interlock's own."""
