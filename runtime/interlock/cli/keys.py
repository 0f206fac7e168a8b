"""`interlock keys`: the API keys in the store, made and revoked whether or not a service runs."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.config import Form, Format, Project
from interlock.cli.findings import refusing_invalid

if TYPE_CHECKING:
    from datetime import timedelta

    from interlock.model.settings import Settings
    from interlock.store.key_book import KeyBook
    from interlock.store.records import StoredKey

__all__ = ["RoleName", "app"]

app = typer.Typer(
    no_args_is_help=True,
    help="API keys in the project's store: a running service heeds changes within a second.",
)


class RoleName(StrEnum):
    """What a key may do."""

    CHAT = "chat"
    OPERATOR = "operator"
    ADMIN = "admin"


Name = Annotated[str, typer.Argument(help="Who uses the key; logs and conversations name it.")]
Role = Annotated[
    RoleName,
    typer.Option(
        help="chat talks for customers, operator looks after what runs, admin changes it."
    ),
]


@app.command()
def create(
    name: Name,
    role: Role = RoleName.CHAT,
    expires: Annotated[
        str | None, typer.Option(help="For how long it is good, such as 12h or 90d.")
    ] = None,
    project: Project = Path(),
    form: Form = Format.TEXT,
) -> None:
    """Make a key. It is shown once; the store keeps only its hash."""
    from interlock.service.keys import new_key
    from interlock.store.key_book import KeyNameTaken

    _check_name(name)
    lifetime = None if expires is None else _duration(expires)
    with _open(project) as (settings, book):
        if any(key.name == name for key in settings.auth.keys):
            raise KeyNameTaken(name)
        secret, digest = new_key()
        now = datetime.now(UTC)
        kept = book.create(
            name,
            role=role.value,
            sha256=digest,
            now=now,
            created_by=_user(),
            expires_at=None if lifetime is None else now + lifetime,
        )
    if form is Format.JSON:
        typer.echo(json.dumps({"key": secret, **_view(kept)}, indent=2))
        return
    until = "until it is revoked" if kept.expires_at is None else f"until {_time(kept.expires_at)}"
    typer.echo(secret)
    typer.echo(f"\nThis is the key of {name}; it is shown only now. Role {kept.role}, {until}.")


@app.command("list")
def list_keys(project: Project = Path(), form: Form = Format.TEXT) -> None:
    """List the keys of the store and of interlock.yaml, with their roles and when they end."""
    from rich.console import Console

    from interlock.cli.table import print_table

    with _open(project) as (settings, book):
        stored = book.entries()
    declared = [{"name": key.name, "role": key.role or "admin"} for key in settings.auth.keys]
    if form is Format.JSON:
        document = {"keys": [_view(key) for key in stored], "declared": declared}
        typer.echo(json.dumps(document, indent=2))
        return
    now = datetime.now(UTC)
    rows = [
        [key.name, key.role, _standing(key, now), _time(key.created_at), _time(key.last_used_at)]
        for key in stored
    ] + [[key["name"], key["role"], "in interlock.yaml", "-", "-"] for key in declared]
    if not rows:
        typer.echo("there are no keys: the service answers on this machine only, and everyone")
        return
    print_table(Console(), ["name", "role", "standing", "made (UTC)", "last used (UTC)"], rows)


@app.command()
def revoke(name: Name, project: Project = Path()) -> None:
    """End a key at once. Its conversations stay, and its name can be used again."""
    with _open(project) as (_, book):
        book.revoke(name, now=datetime.now(UTC))
    typer.echo(f"the key of {name} is revoked")


@contextmanager
def _open(project: Path) -> Iterator[tuple[Settings, KeyBook]]:
    from interlock.cli.project import read_settings, store_url
    from interlock.store.key_book import open_key_book

    with refusing_invalid(project):
        settings = read_settings(project)
    with open_key_book(store_url(settings, os.environ), project=project) as book:
        yield settings, book


def _check_name(name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from interlock.model.base import Name as DocumentName

    try:
        TypeAdapter(DocumentName).validate_python(name)
    except ValidationError:
        raise typer.BadParameter(
            "must be a letter, then letters, digits, _ and -, 64 at most", param_hint="NAME"
        ) from None


def _duration(text: str) -> timedelta:
    from pydantic import TypeAdapter, ValidationError

    from interlock.model.base import Duration

    try:
        lifetime: timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="--expires") from None
    return lifetime


def _standing(key: StoredKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_time(key.revoked_at)}"
    if not key.is_active(now):
        return f"expired {_time(key.expires_at)}"
    return "active" if key.expires_at is None else f"until {_time(key.expires_at)}"


def _view(key: StoredKey) -> dict[str, str | None]:
    times = {
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
        "lastUsedAt": key.last_used_at,
    }
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "createdBy": key.created_by,
        **{name: None if at is None else at.isoformat() for name, at in times.items()},
    }


def _time(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _user() -> str | None:
    """Who uses the machine, as far as it knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
