"""The statements that change the store, in the order in which one transaction runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ClauseElement,
    Insert,
    String,
    Table,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)

from interlock.store.tables import (
    activations,
    api_keys,
    breakers,
    conversations,
    ledger,
    messages,
    snapshots,
    switches,
    trace_events,
    turns,
)

__all__ = [
    "ADD_BREAKER",
    "ADD_MESSAGE",
    "ADD_SNAPSHOT",
    "BEGIN_TURN",
    "CHARGE",
    "CREATE_CONVERSATION",
    "END_TURN",
    "LIFT_SWITCH",
    "RECORD_ACTIVATION",
    "RECORD_EVENT",
    "REPLACE_MESSAGE",
    "REPLACE_TURN_TEXT",
    "SET_SWITCH",
    "STATEMENTS",
    "UPDATE_BREAKER",
    "UPDATE_CONVERSATION",
    "USE_KEY",
    "Row",
    "Rows",
    "Statement",
]

Row = dict[str, Any]
"""A statement's parameters, as the database driver takes them: times and JSON as text."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement, run once per transaction for all rows that are waiting for it."""

    sql: ClauseElement
    merge: Callable[[list[Row]], list[Row]] | None = None
    """Makes fewer rows of many with the same effect."""
    unmatched: str | None = None
    """What is wrong when a row of parameters changes no row of the table; None if nothing is."""


Rows = tuple[tuple[Statement, Row], ...]
"""Rows that are written together or not at all."""


_COUNTERS = ("spent_tokens", "spent_cost_nano", "unpriced_calls")


def _sum_changes(rows: list[Row]) -> list[Row]:
    changes: dict[str, Row] = {}
    for row in rows:
        change = changes.get(row["of"])
        if change is None:
            changes[row["of"]] = dict(row)
            continue
        change["touched"] = row["touched"] or change["touched"]
        for counter in _COUNTERS:
            change[f"add_{counter}"] += row[f"add_{counter}"]
    return list(changes.values())


def _bind(table: Table, *names: str) -> list[BindParameter[Any]]:
    """Parameters for columns of a table, of the column's name and type."""
    return [bindparam(name, type_=table.c[name].type) for name in names]


def _insert(table: Table) -> Insert:
    names = [column.name for column in table.columns if column is not ledger.c.id]
    return insert(table).inline().values({bound.key: bound for bound in _bind(table, *names)})


def _append(table: Table, constants: dict[str, str], *names: str) -> Insert:
    """Inserts a row which gets the conversation's next `sequence`."""
    last = func.coalesce(func.max(table.c.sequence), literal_column("0"))
    values = {
        "sequence": last + literal_column("1"),
        **{name: literal_column(sql) for name, sql in constants.items()},
        **dict(zip(names, _bind(table, *names), strict=True)),
    }
    query = select(*values.values()).where(
        table.c.conversation_id == bindparam("conversation_id", type_=String)
    )
    return insert(table).from_select(list(values), query)


ADD_SNAPSHOT = Statement(
    insert(snapshots).from_select(
        ["digest", "created_at", "files"],
        select(*_bind(snapshots, "digest", "created_at", "files")).where(
            ~exists().where(snapshots.c.digest == bindparam("digest", type_=String))
        ),
    )
)
"""Adds a snapshot unless it is there already."""

RECORD_ACTIVATION = Statement(_insert(activations))

_TARGET = (
    switches.c.kind == bindparam("kind", type_=String),
    switches.c.name == bindparam("name", type_=String),
    switches.c.agent.is_not_distinct_from(bindparam("agent", type_=String)),
    switches.c.lifted_at.is_(None),
)
_SET = ("id", "kind", "name", "agent", "disabled_at", "who", "why")

SET_SWITCH = Statement(
    insert(switches).from_select(
        list(_SET), select(*_bind(switches, *_SET)).where(~exists().where(*_TARGET))
    )
)
"""Switches something off unless it is off already."""

LIFT_SWITCH = Statement(
    update(switches)
    .where(*_TARGET)
    .values(lifted_at=bindparam("now", type_=String), lifted_by=bindparam("who", type_=String))
)
"""Switches something on again, if it is off."""

USE_KEY = Statement(
    update(api_keys)
    .where(api_keys.c.id == bindparam("of", type_=String))
    .values(last_used_at=bindparam("now", type_=String))
)
"""Notes when the API key `of` was used."""

ADD_BREAKER = Statement(
    insert(breakers).from_select(
        ["name", "status", "changed_at"],
        select(*_bind(breakers, "name", "status", "changed_at")).where(
            ~exists().where(breakers.c.name == bindparam("name", type_=String))
        ),
    )
)
"""Adds a breaker unless it is there already."""

UPDATE_BREAKER = Statement(
    update(breakers)
    .where(breakers.c.name == bindparam("of", type_=String))
    .values(
        status=bindparam("status", type_=String), changed_at=bindparam("changed_at", type_=String)
    )
)
"""Replaces what is kept of the breaker `of`."""

CREATE_CONVERSATION = Statement(_insert(conversations))

BEGIN_TURN = Statement(
    _append(
        turns,
        {"state": "'running'"}
        | dict.fromkeys(("iterations", "model_calls", "tool_calls"), "0")
        | dict.fromkeys(("tokens", "cost_nano", "unpriced_calls"), "0"),
        *("id", "conversation_id", "text", "snapshot", "started_at"),
    )
)
"""Adds a running turn as the conversation's last."""

ADD_MESSAGE = Statement(
    _append(messages, {}, "conversation_id", "turn_id", "role", "text", "created_at", "author")
)
"""Adds a message as the conversation's last."""

_ENDED = (
    *("outcome", "reply", "reason", "iterations", "model_calls", "tool_calls"),
    *("tokens", "cost_nano", "unpriced_calls", "escalation", "ended_at"),
)

END_TURN = Statement(
    update(turns)
    .where(
        turns.c.id == bindparam("of", type_=String),
        turns.c.conversation_id == bindparam("of_conversation", type_=String),
        turns.c.state == literal_column("'running'"),
    )
    .values(
        {"state": literal_column("'ended'")} | dict(zip(_ENDED, _bind(turns, *_ENDED), strict=True))
    ),
    unmatched="it is not a running turn of that conversation",
)
"""Ends the running turn `of` of the conversation `of_conversation`."""

_OF_TURN = bindparam("of", type_=String)
_KEPT = bindparam("kept", type_=String)

REPLACE_TURN_TEXT = Statement(update(turns).where(turns.c.id == _OF_TURN).values(text=_KEPT))
"""Keeps another text than the customer wrote in the turn `of`, as the turn's own."""

REPLACE_MESSAGE = Statement(
    update(messages)
    .where(messages.c.turn_id == _OF_TURN, messages.c.role == literal_column("'customer'"))
    .values(text=_KEPT)
)
"""The same in the conversation's messages."""

RECORD_EVENT = Statement(_insert(trace_events))

CHARGE = Statement(_insert(ledger))

UPDATE_CONVERSATION = Statement(
    update(conversations)
    .where(conversations.c.id == bindparam("of", type_=String))
    .values(
        updated_at=func.coalesce(
            bindparam("touched", type_=String), conversations.c.updated_at, type_=String
        ),
        **{
            name: conversations.c[name] + bindparam(f"add_{name}", type_=BigInteger)
            for name in _COUNTERS
        },
    ),
    merge=_sum_changes,
)
"""Adds to what the conversation `of` has spent, and notes when it was `touched`."""

STATEMENTS = (
    ADD_SNAPSHOT,
    RECORD_ACTIVATION,
    SET_SWITCH,
    LIFT_SWITCH,
    USE_KEY,
    ADD_BREAKER,
    UPDATE_BREAKER,
    CREATE_CONVERSATION,
    BEGIN_TURN,
    ADD_MESSAGE,
    REPLACE_TURN_TEXT,
    REPLACE_MESSAGE,
    END_TURN,
    RECORD_EVENT,
    CHARGE,
    UPDATE_CONVERSATION,
)
