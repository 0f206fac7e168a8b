"""What is told to whoever listens: a webhook, the metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from interlock.ids import new_id
from interlock.model.base import JsonObject
from interlock.store.people_records import Approval, Escalation

__all__ = ["NoticeKind", "approval_notice", "escalation_notice"]

NoticeKind = Literal[
    "escalation.opened",
    "escalation.claimed",
    "escalation.closed",
    "escalation.overdue",
    "approval.pending",
    "approval.decided",
]
"""What happened."""


def escalation_notice(kind: NoticeKind, escalation: Escalation) -> JsonObject:
    """What happened to an escalation, as a webhook says it."""
    due = escalation.due_at
    return {
        **_head(kind),
        "escalation": {
            "id": escalation.id,
            "conversationId": escalation.conversation_id,
            "turnId": escalation.turn_id,
            "agent": escalation.agent,
            "queue": escalation.queue,
            "priority": escalation.priority,
            "reason": escalation.reason,
            "summary": escalation.summary,
            "createdAt": escalation.created_at.isoformat(),
            "dueAt": None if due is None else due.isoformat(),
            "path": f"/v1/escalations/{escalation.id}",
        },
    }


def approval_notice(kind: NoticeKind, approval: Approval) -> JsonObject:
    """What happened to an approval, as a webhook says it."""
    return {
        **_head(kind),
        "approval": {
            "id": approval.id,
            "conversationId": approval.conversation_id,
            "turnId": approval.turn_id,
            "agent": approval.agent,
            "tool": approval.tool,
            "input": approval.input,
            "why": approval.why,
            "expiresAt": approval.expires_at.isoformat(),
            "path": f"/v1/approvals/{approval.id}",
        },
    }


def _head(kind: NoticeKind) -> JsonObject:
    return {"id": new_id("notice"), "type": kind, "at": datetime.now(UTC).isoformat()}
