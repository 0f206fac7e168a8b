"""What is about the service itself: its health, and counts of what it did."""

import sqlite3

from fastapi import APIRouter

from examples.shop.documents import Health, Stats
from examples.shop.routes.access import DatabaseOf

router = APIRouter(tags=["service"])


def count_effects(connection: sqlite3.Connection) -> Stats:
    """Return how many effects of each kind are in the database, without the seeded ones."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM returns WHERE NOT seeded) AS returns,"
        " (SELECT count(*) FROM refunds WHERE NOT seeded) AS refunds,"
        " (SELECT count(*) FROM crm_notes WHERE NOT seeded) AS notes,"
        " (SELECT count(*) FROM cancellations WHERE NOT seeded) AS cancellations,"
        " (SELECT count(*) FROM address_changes) AS address_changes"
    ).fetchone()
    return Stats.model_validate(dict(row))


def check_health(connection: sqlite3.Connection) -> Health:
    """Return that the database can be read."""
    connection.execute("SELECT 1 FROM orders LIMIT 1").fetchone()
    return Health(status="ok")


@router.get("/stats", operation_id="get_stats")
async def get_stats(database: DatabaseOf) -> Stats:
    """Return how many effects callers have had."""
    return await database.read(count_effects)


@router.get("/healthz", operation_id="get_health")
async def get_health(database: DatabaseOf) -> Health:
    """Return that the service works."""
    return await database.read(check_health)
