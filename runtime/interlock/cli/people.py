"""What the commands about people share: asking the service, and showing times and texts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from interlock.model.base import JsonObject

__all__ = ["Id", "Url", "ask", "left", "print_fields", "print_json", "time_text"]

Url = Annotated[str, typer.Option(envvar="INTERLOCK_URL", help="Where the service is.")]
Id = Annotated[str, typer.Argument(help="Its id.")]


def ask(
    url: str,
    path: str,
    *,
    key: str | None,
    body: JsonObject | None = None,
    params: Mapping[str, str | None] | None = None,
    post: bool = False,
) -> Any:
    """The service's answer. Raises `ServiceFailed`."""
    from interlock.cli.service_request import request

    given = {name: value for name, value in (params or {}).items() if value is not None}
    method = "POST" if post or body is not None else "GET"
    return asyncio.run(request(url, path, key=key, method=method, body=body, params=given))


def print_json(document: Any) -> None:
    """Prints a document for programs."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_fields(fields: Mapping[str, object]) -> None:
    """Prints what is known, one line a field."""
    from interlock.cli.text import printable

    width = max(map(len, fields))
    for name, value in fields.items():
        if value not in (None, ""):
            lines = printable(str(value)).splitlines()
            typer.echo(f"{name:<{width}}  " + ("\n" + " " * (width + 2)).join(lines))


def time_text(text: str | None) -> str | None:
    """A time of the API, in UTC."""
    return None if text is None else f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"


def left(seconds: float | None) -> str:
    """How much time is left, for people."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"
    return f"overdue by {text}" if seconds < 0 else text
