"""From escalations and approvals as they are kept to what the API shows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from interlock.service.people_schemas import ApprovalView, EscalationView
from interlock.store.people_records import Approval, Escalation

__all__ = ["approval_view", "escalation_view"]


def escalation_view(found: Escalation, *, now: datetime) -> EscalationView:
    """An escalation, and how much time is left for it."""
    waits = found.active and found.answered_at is None and found.due_at is not None
    fields = asdict(found)
    del fields["overdue_at"]
    return EscalationView(
        **fields,
        trace=f"/v1/turns/{found.turn_id}/trace",
        seconds_left=_seconds(found.due_at, now) if waits else None,
        overdue=found.is_overdue(now),
    )


def approval_view(found: Approval, *, now: datetime) -> ApprovalView:
    """An approval, and how much time is left for it."""
    fields = asdict(found)
    for hidden in ("action_key", "asked_key", "attempted_at"):
        del fields[hidden]
    return ApprovalView(
        **fields,
        trace=f"/v1/turns/{found.turn_id}/trace",
        seconds_left=_seconds(found.expires_at, now) if found.state == "pending" else None,
    )


def _seconds(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round((at - now).total_seconds(), 3)
