import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from examples.shop.database import Database


async def _prepare(path: Path) -> None:
    database = Database(path)
    await database.prepare()
    await database.close()


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


async def test_first_start_seeds_and_later_starts_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "shop.sqlite"
    await _prepare(path)
    seeded = _dump(path)
    assert any("ORD-2002" in line for line in seeded)
    await _prepare(path)
    assert _dump(path) == seeded


async def test_starts_at_the_same_time_seed_once(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    await asyncio.gather(*(_prepare(path) for _ in range(4)))
    alone = tmp_path / "alone.sqlite"
    await _prepare(alone)
    assert _dump(path) == _dump(alone)


async def test_seed_breaks_no_reference(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    await _prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
