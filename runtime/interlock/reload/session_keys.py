"""The keys that session tokens are verified with, taken from where they are kept and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.algorithms import get_default_algorithms

from interlock.config.placed import Placed
from interlock.config.validate import Loc
from interlock.diagnostics import Diagnostic
from interlock.model.base import SecretRef
from interlock.model.identity import Algorithm, Sessions
from interlock.model.settings import Settings
from interlock.reload.secrets import SecretFiles

__all__ = ["PreparedKey", "prepare_key", "prove_sessions", "session_keys"]

_LEAST_SECRET_BYTES = 32
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class PreparedKey:
    """A key as `jwt.decode` takes it."""

    kid: str | None
    material: Any = None

    def __repr__(self) -> str:
        return f"PreparedKey(kid={self.kid!r})"


def session_keys(
    sessions: Sessions | None, environment: Mapping[str, str], secrets: SecretFiles
) -> tuple[PreparedKey, ...]:
    """The keys in their order; that they can be used was checked by `prove_sessions`."""
    if sessions is None:
        return ()
    algorithm = sessions.algorithm
    return tuple(
        PreparedKey(
            key.kid, prepare_key(algorithm, _text(key.key, algorithm, environment, secrets))
        )
        for key in sessions.all_keys
    )


def prove_sessions(
    placed: Placed[Settings], environment: Mapping[str, str], secrets: SecretFiles
) -> Iterator[Diagnostic]:
    """ILK-C029 for files that cannot be read, ILK-C061 for keys that are none, or too weak."""
    sessions = placed.model.auth.sessions
    if sessions is None:
        return
    for index, key in enumerate(sessions.all_keys):
        at: Loc = ("auth", "sessions", "key")
        if sessions.key is None:
            at = ("auth", "sessions", "keys", index, "key")
        try:
            text = _text(key.key, sessions.algorithm, environment, secrets)
        except ValueError as error:
            yield placed.finding(
                "ILK-C029",
                f"the key of session tokens cannot be taken from {key.key.file}: {error}",
                (*at, "file"),
                hint="the file holds the key alone; its path is relative to the project",
            )
            continue
        try:
            prepare_key(sessions.algorithm, text)
        except ValueError as error:
            yield placed.finding(
                "ILK-C061", f"the key of session tokens cannot be used: {error}", at
            )


def prepare_key(algorithm: Algorithm, text: str) -> Any:
    """A secret or a public key as `jwt.decode` takes it.

    Raises `ValueError` with the reason why it cannot be used, which never holds the key.
    """
    known = get_default_algorithms().get(algorithm)
    if known is None:
        raise ValueError(
            f"{algorithm} needs the Python package cryptography, which is not installed; "
            "install it, or have tokens signed with HS256"
        )
    if algorithm == "HS256" and len(text.encode()) < _LEAST_SECRET_BYTES:
        raise ValueError(
            f"a secret of HS256 needs {_LEAST_SECRET_BYTES} bytes or more, and random ones; "
            "make one with: openssl rand -hex 32"
        )
    if algorithm != "HS256" and "PRIVATE KEY" in text:
        raise ValueError("it is a private key; only the public one is needed, so keep it away")
    try:
        key = known.prepare_key(text)
    except (jwt.PyJWTError, ValueError, TypeError):
        # Their own words may quote what they were given.
        kind = "a secret: it looks like a public key" if algorithm == "HS256" else "its public key"
        raise ValueError(f"{algorithm} cannot use it as {kind}") from None
    if algorithm == "RS256" and key.key_size < _LEAST_RSA_BITS:
        raise ValueError(f"an RSA key needs {_LEAST_RSA_BITS} bits or more")
    return key


def _text(
    ref: SecretRef, algorithm: Algorithm, environment: Mapping[str, str], secrets: SecretFiles
) -> str:
    """Raises `ValueError` if it cannot be read."""
    if ref.file is not None and algorithm != "HS256":
        return secrets.read_lines(ref.file)
    return secrets.resolve(ref, environment)
