"""`interlock key`: a new API key, shown once."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from interlock.cli.keys import Role, RoleName

__all__ = ["key"]

_TEXT = """\
{key}

This is the key; it is shown only now. To let it in, put its hash into interlock.yaml
(`interlock keys create {name}` makes one that needs no change of the file):

auth:
  keys:
    - name: {name}
      role: {role}
      sha256: {digest}
"""


def key(
    name: Annotated[str, typer.Argument(help="Who will use the key; logs and metrics show it.")],
    role: Role = RoleName.CHAT,
) -> None:
    """Make an API key and the entry for auth.keys."""
    from interlock.model.identity import ApiKey
    from interlock.service.keys import new_key

    made, digest = new_key()
    try:
        entry = ApiKey(name=name, sha256=digest, role=role.value)
    except ValidationError:
        raise typer.BadParameter(
            "must be a letter, then letters, digits, _ and -, 64 at most", param_hint="NAME"
        ) from None
    typer.echo(
        _TEXT.format(key=made, name=entry.name, role=entry.role, digest=entry.sha256), nl=False
    )
