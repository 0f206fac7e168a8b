"""A turn that a person's decision began: how the model, and the customer, hear of it."""

from __future__ import annotations

from dataclasses import replace

from interlock.model.turn import Verdict
from interlock.turn.ending import Ending
from interlock.turn.run import Run

__all__ = ["decision_text", "tell_decision"]

_DECISIONS = {
    "approved": "agreed to it, and it was carried out",
    "edited": "changed its input and agreed to that, and it was carried out so",
    "denied": "did not agree to it, so it was not carried out",
    "answered": "answered in the tool's place",
    "expired": "did not decide in time, so it was not carried out",
}


def decision_text(tool: str, verdict: Verdict, *, reason: str | None) -> str:
    """What the model reads in the place of a customer's message."""
    why = f" The colleague says: {reason}" if reason else ""
    return (
        f"<decision>\nThe action '{tool}' had to wait for a colleague. The colleague "
        f"{_DECISIONS[verdict]}.{why} Its result is below. Tell the customer now what came of it.\n"
        "</decision>"
    )


def tell_decision(run: Run, ending: Ending) -> Ending:
    """The ending; if no model could word it, the customer reads the declared sentence instead."""
    resumed = run.request.resumed
    if resumed is None or ending.outcome not in ("failed", "refused"):
        return ending
    replies = run.agent.spec.replies
    if resumed.result.status == "success":
        return replace(ending, reply=replies.approval_done)
    if resumed.verdict in ("denied", "expired"):
        return replace(ending, reply=replies.approval_denied)
    return ending
