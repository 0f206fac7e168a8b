"""What people are told when something cannot be done as they asked."""

from __future__ import annotations

from interlock.errors import InterlockError

__all__ = ["EscalationConflict", "InvalidEdit", "Unavailable"]


class EscalationConflict(InterlockError):
    """The escalation is closed, or somebody else has it."""

    code = "escalation_conflict"


class InvalidEdit(InterlockError):
    """The input that a person gave is none that the tool takes."""

    code = "invalid_edit"


class Unavailable(InterlockError):
    """The call cannot be carried out as things are."""

    code = "call_unavailable"
