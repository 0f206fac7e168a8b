"""Brings a database to the tables of this version, and tells when that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, column, inspect, select, table

from interlock.errors import StoreError
from interlock.store.tables import SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["alembic_config", "check_schema", "migrate"]

_VERSION = table("alembic_version", column("version_num"))


def migrate(engine: Engine) -> None:
    """Applies the missing migrations, all or none; `StoreError` if the database is newer."""
    with engine.begin() as connection:
        found = _schema(connection)
        if found == SCHEMA:
            return
        # Imported here since Alembic takes long to load and only a new version needs it.
        from alembic import command
        from alembic.script import ScriptDirectory

        config = alembic_config(connection)
        scripts = ScriptDirectory.from_config(config).walk_revisions()
        if found is not None and found not in {script.revision for script in scripts}:
            raise StoreError(
                f"the store was written by a newer version of Interlock (schema {found}, this "
                f"one knows up to {SCHEMA}); update Interlock, or use another store"
            )
        command.upgrade(config, "head")


def check_schema(engine: Engine) -> None:
    """Raises `StoreError` unless the database has exactly the tables of this version."""
    with engine.connect() as connection:
        found = _schema(connection)
    if found != SCHEMA:
        raise StoreError(
            f"the store has schema {found or 'none'}, but this version of Interlock reads "
            f"{SCHEMA}; an older store is brought up to date when the service starts"
        )


def alembic_config(connection: Connection) -> Config:
    """What Alembic's commands need to run inside the connection's transaction."""
    from alembic.config import Config

    config = Config()
    location = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(location).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _schema(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.scalar(select(_VERSION.c.version_num))
    return found
