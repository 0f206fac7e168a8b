"""One batch of rows as one transaction, with one call of the driver for each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import Connection, Dialect

from interlock.store.people_statements import PEOPLE_STATEMENTS
from interlock.store.statements import STATEMENTS, Row, Rows, Statement

__all__ = ["Prepared", "execute", "prepare"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it.

    SQLAlchemy compiles it, but does not carry it out: its own way costs 5 us more for each row.
    """

    statement: Statement
    sql: str
    order: Callable[[Row], tuple[object, ...]] | None
    """Picks a row's parameters in order; None for a driver that takes them by name."""


def prepare(dialect: Dialect) -> tuple[Prepared, ...]:
    """All statements, in the order in which a transaction runs them."""
    return tuple(_prepare(statement, dialect) for statement in (*STATEMENTS, *PEOPLE_STATEMENTS))


def execute(connection: Connection, statements: Sequence[Prepared], batch: Iterable[Rows]) -> None:
    """Carries out all rows of a batch. Raises whatever the driver raises.

    Raises `LookupError` if a row did not find what it was to change.
    """
    waiting: dict[Statement, list[Row]] = {}
    for group in batch:
        for statement, row in group:
            waiting.setdefault(statement, []).append(row)
    for prepared in statements:
        statement = prepared.statement
        rows = waiting.get(statement)
        if rows is None:
            continue
        if statement.merge is not None:
            rows = statement.merge(rows)
        values = rows if prepared.order is None else [prepared.order(row) for row in rows]
        result = connection.exec_driver_sql(prepared.sql, values)
        if statement.unmatched is not None and result.rowcount != len(rows):
            raise LookupError(statement.unmatched)


def _prepare(statement: Statement, dialect: Dialect) -> Prepared:
    compiled = statement.sql.compile(dialect=dialect)
    names = getattr(compiled, "positiontup", None)
    return Prepared(statement, str(compiled), None if names is None else _picker(names))


def _picker(names: Sequence[str]) -> Callable[[Row], tuple[object, ...]]:
    if len(names) == 1:
        # `itemgetter` of one name gives the value itself.
        (name,) = names
        return lambda row: (row[name],)
    return itemgetter(*names)
