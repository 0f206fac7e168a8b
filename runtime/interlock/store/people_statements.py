"""The statements about people's work; those that decide something do so only once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    String,
    Table,
    Update,
    bindparam,
    delete,
    exists,
    insert,
    literal_column,
    select,
    update,
)

from interlock.store.people_tables import approvals, escalations, feedback
from interlock.store.statements import Statement

__all__ = [
    "ANSWER_ESCALATION",
    "ASK_APPROVAL",
    "ATTEMPT_APPROVAL",
    "CLAIM_ESCALATION",
    "CLOSE_ESCALATION",
    "DECIDE_APPROVAL",
    "DROP_FEEDBACK",
    "FINISH_APPROVAL",
    "GIVE_FEEDBACK",
    "KEEP_RESULT",
    "MARK_OVERDUE",
    "OPEN_ESCALATION",
    "PEOPLE_STATEMENTS",
]


def _values(table: Table, *names: str) -> dict[str, Any]:
    return {name: bindparam(name, type_=table.c[name].type) for name in names}


def _insert(table: Table) -> Insert:
    return insert(table).inline().values(_values(table, *table.columns.keys()))


def _change(table: Table, *conditions: ColumnElement[bool]) -> Update:
    return update(table).where(table.c.id == bindparam("of", type_=String), *conditions)


_ACTIVE = escalations.c.state.in_([literal_column("'open'"), literal_column("'claimed'")])
_UNCLAIMED_OR_MINE = escalations.c.claimed_by.is_(None) | (
    escalations.c.claimed_by == bindparam("who", type_=String)
)
_ESCALATION = list(escalations.columns.keys())

OPEN_ESCALATION = Statement(
    insert(escalations).from_select(
        _ESCALATION,
        select(*_values(escalations, *_ESCALATION).values()).where(
            ~exists().where(
                escalations.c.conversation_id == bindparam("conversation_id", type_=String),
                _ACTIVE,
            )
        ),
    )
)
"""Opens an escalation, unless the conversation has one that is not closed."""

CLAIM_ESCALATION = Statement(
    _change(escalations, escalations.c.state == literal_column("'open'")).values(
        state=literal_column("'claimed'"),
        claimed_by=bindparam("who", type_=String),
        claimed_at=bindparam("now", type_=String),
    ),
    unmatched="it is not open any more",
)

ANSWER_ESCALATION = Statement(
    _change(
        escalations,
        _ACTIVE,
        (escalations.c.state == literal_column("'open'")) | _UNCLAIMED_OR_MINE,
    ).values(
        state=literal_column("'claimed'"),
        claimed_by=bindparam("who", type_=String),
        claimed_at=bindparam("claimed", type_=String),
        answered_at=bindparam("answered", type_=String),
    ),
    unmatched="it is closed, or somebody else's",
)
"""Notes that a person has written; whoever writes has it from then on."""

CLOSE_ESCALATION = Statement(
    _change(
        escalations,
        _ACTIVE,
        (escalations.c.state == literal_column("'open'")) | _UNCLAIMED_OR_MINE,
    ).values(
        state=literal_column("'closed'"),
        closed_by=bindparam("who", type_=String),
        closed_at=bindparam("now", type_=String),
        **_values(escalations, "resolution", "handed_back"),
    ),
    unmatched="it is closed, or somebody else's",
)

MARK_OVERDUE = Statement(
    _change(escalations, _ACTIVE, escalations.c.overdue_at.is_(None)).values(
        overdue_at=bindparam("now", type_=String)
    ),
    unmatched="it was marked before",
)

ASK_APPROVAL = Statement(_insert(approvals))

DECIDE_APPROVAL = Statement(
    _change(
        approvals,
        approvals.c.state == literal_column("'pending'"),
        (approvals.c.expires_at > bindparam("now", type_=String))
        | (bindparam("expiring", type_=String) == literal_column("'yes'")),
    ).values(
        state=bindparam("verdict", type_=String),
        decided_at=bindparam("now", type_=String),
        **_values(approvals, "verdict", "decided_by", "reason", "input", "arguments", "action_key"),
        result=bindparam("result", type_=approvals.c.result.type),
    ),
    unmatched="it was decided before, or is expired",
)
"""Decides once, whoever else tries at the same time."""

ATTEMPT_APPROVAL = Statement(
    _change(approvals, approvals.c.attempted_at.is_(None), approvals.c.result.is_(None)).values(
        attempted_at=bindparam("now", type_=String)
    ),
    unmatched="it was carried out before",
)

KEEP_RESULT = Statement(
    _change(approvals, approvals.c.result.is_(None)).values(**_values(approvals, "result")),
    unmatched="it has a result",
)

FINISH_APPROVAL = Statement(_change(approvals).values(state=literal_column("'done'")))

DROP_FEEDBACK = Statement(
    delete(feedback).where(feedback.c.turn_id == bindparam("turn_id", type_=String))
)

GIVE_FEEDBACK = Statement(_insert(feedback))

PEOPLE_STATEMENTS = (
    OPEN_ESCALATION,
    CLAIM_ESCALATION,
    ANSWER_ESCALATION,
    CLOSE_ESCALATION,
    MARK_OVERDUE,
    ASK_APPROVAL,
    DECIDE_APPROVAL,
    ATTEMPT_APPROVAL,
    KEEP_RESULT,
    FINISH_APPROVAL,
    DROP_FEEDBACK,
    GIVE_FEEDBACK,
)
"""In the order in which one transaction runs them, after those of `statements`."""
