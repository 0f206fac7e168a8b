"""Policies: what the shop promises, the same for every customer."""

import sqlite3

from fastapi import APIRouter

from examples.shop.documents import Policy
from examples.shop.problems import not_found
from examples.shop.routes.access import DatabaseOf

router = APIRouter(tags=["policies"])


def find_policy(connection: sqlite3.Connection, topic: str) -> Policy:
    """Return the policy on one topic; raises a 404 Problem that names the topics there are."""
    row = connection.execute("SELECT * FROM policies WHERE topic = ?", (topic,)).fetchone()
    if row is None:
        topics = connection.execute("SELECT topic FROM policies ORDER BY topic").fetchall()
        known = ", ".join(known["topic"] for known in topics)
        raise not_found("policy", f"on '{topic}'; there are {known}")
    return Policy.model_validate(dict(row))


@router.get("/policies/{topic}", operation_id="get_return_policy")
async def get_policy(topic: str, database: DatabaseOf) -> Policy:
    """Return the policy on returns, refunds, shipping, cancellations or warranty."""
    return await database.read(find_policy, topic)
