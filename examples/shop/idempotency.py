"""Effects that happen once for each `Idempotency-Key`, however often they are asked for."""

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from examples.shop import problems
from examples.shop.clock import read_clock
from examples.shop.database import Database
from examples.shop.documents import Document


class Effect(Protocol):
    """Changes the database in the open transaction and returns what to answer."""

    def __call__(self, connection: sqlite3.Connection, /) -> Document:
        """Raise Problem to refuse; whatever was changed until then is undone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished response, as it is kept beside its key."""

    status: int
    body: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Mutations:
    """Carries out the effect of one request, or repeats the answer its key already had."""

    database: Database
    target: str
    key: str | None

    async def perform(
        self,
        effect: Effect,
        *,
        caller: str | None,
        body: BaseModel,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        """Return the effect's document with `status`, or the problem that it raised.

        The key's row and the effect are committed together. Refusals are kept too, so that a
        key has one answer for ever. The same key for another request is a 422.
        """
        answer = await self.database.write(
            _perform_once,
            effect,
            key=self.key,
            fingerprint=_digest_request(self.target, caller, body),
            status=status,
        )
        return Response(
            answer.body,
            answer.status,
            headers={"Idempotency-Replayed": "true"} if answer.replayed else {},
            media_type=problems.MEDIA_TYPE if answer.status >= 400 else "application/json",
        )


def _digest_request(target: str, caller: str | None, body: BaseModel) -> str:
    # The customer is part of it: a key must never open another customer's answer.
    request = json.dumps([target, caller, body.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(request.encode()).hexdigest()


def _perform_once(
    connection: sqlite3.Connection,
    effect: Effect,
    *,
    key: str | None,
    fingerprint: str,
    status: HTTPStatus,
) -> Answer:
    if key is not None:
        row = connection.execute(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE key = ?", (key,)
        ).fetchone()
        if row is not None:
            if row["fingerprint"] != fingerprint:
                raise problems.invalid(
                    "idempotency-key-reused",
                    f"The Idempotency-Key {key} was used for another request; take a new key.",
                )
            return Answer(status=row["status"], body=row["body"], replayed=True)
    answer = _carry_out(connection, effect, status)
    if key is not None:
        connection.execute(
            "INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?)",
            (key, fingerprint, answer.status, answer.body, read_clock()),
        )
    return answer


def _carry_out(connection: sqlite3.Connection, effect: Effect, status: HTTPStatus) -> Answer:
    connection.execute("SAVEPOINT effect")
    try:
        document: BaseModel = effect(connection)
    except problems.Problem as problem:
        connection.execute("ROLLBACK TO effect")
        document, status = problem.document, HTTPStatus(problem.document.status)
    connection.execute("RELEASE effect")
    return Answer(status=status, body=document.model_dump_json(), replayed=False)


async def _read_mutations(
    request: Request,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Mutations:
    return Mutations(
        database=request.app.state.database,
        target=f"{request.method} {request.url.path}",
        key=idempotency_key,
    )


MutationsOf = Annotated[Mutations, Depends(_read_mutations)]
