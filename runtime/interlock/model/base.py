"""What every YAML document shares: strict, frozen models, durations and references."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

__all__ = [
    "NANO",
    "Document",
    "Duration",
    "EnvRef",
    "FileRef",
    "Json",
    "JsonObject",
    "Name",
    "Quantity",
    "SecretRef",
    "TextOrFile",
    "TextOrSecret",
    "Usd",
    "ValueOrEnv",
]

NANO = 1_000_000_000
"""Nano-dollars in one US dollar."""

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict of these."""

JsonObject = dict[str, Any]
"""A JSON object."""

Name = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,63}$")]
"""A name of ours: a letter, then letters, digits, `_` and `-`, 64 at most."""

Usd = Annotated[Decimal, Field(ge=0)]
"""An amount in US dollars."""

_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(ms|s|m|h|d)")
_LONGEST = timedelta(days=365)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Document(BaseModel):
    """The base of everything read from YAML: camelCase keys, no unknown ones, immutable."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


def _parse_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("duration", "must be a time such as 500ms, 10s, 5m or 1h")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise PydanticCustomError("duration", "must be 365d at most")
    duration = timedelta(seconds=seconds)
    if not duration:
        raise PydanticCustomError("duration", "must be longer than 0")
    return duration


Duration = Annotated[
    timedelta,
    BeforeValidator(_parse_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "examples": ["500ms", "10s"]}
    ),
]
"""A length of time, written as `500ms`, `10s`, `5m`, `1h` or `30d`."""


class Quantity(float):
    """A number that is written with its unit; `str` gives it as it is written."""

    __slots__ = ()


class EnvRef(Document, title="{env: NAME}"):
    """A value that is taken from the environment when the service starts."""

    env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", examples=["ANTHROPIC_API_KEY"])
    """The environment variable's name."""
    default: str | None = None
    """What to use when the variable is not set; without it, a missing variable is an error."""


class FileRef(Document, title="{file: PATH}"):
    """A text that is kept in a file of its own."""

    file: str = Field(min_length=1, examples=["prompts/support.md"])
    """The file, relative to the one that names it."""


class SecretRef(Document, title="{env: NAME} or {file: PATH}"):
    """A secret: taken from the environment or from a file, and never part of the configuration."""

    env: str | None = Field(
        default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", examples=["ANTHROPIC_API_KEY"]
    )
    """The environment variable's name."""
    default: str | None = None
    """What to use when the variable is not set; without it, a missing variable is an error."""
    file: str | None = Field(default=None, min_length=1, examples=["/run/secrets/anthropic-key"])
    """A file that holds nothing else, relative to the project; read at each start and reload."""

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise PydanticCustomError("secret", "needs either 'env' or 'file'")
        if self.file is not None and self.default is not None:
            raise PydanticCustomError("secret", "'default' belongs to 'env', not to 'file'")
        return self


def _kind(value: object) -> Literal["text", "reference"]:
    return "text" if isinstance(value, str) else "reference"


ValueOrEnv = Annotated[
    Annotated[str, Tag("text")] | Annotated[EnvRef, Tag("reference")], Discriminator(_kind)
]
"""A text, or `{env: NAME}`."""

TextOrFile = Annotated[
    Annotated[str, Tag("text")] | Annotated[FileRef, Tag("reference")], Discriminator(_kind)
]
"""A text, or `{file: PATH}`."""

TextOrSecret = Annotated[
    Annotated[str, Tag("text")] | Annotated[SecretRef, Tag("reference")], Discriminator(_kind)
]
"""A text, or `{env: NAME}`, or `{file: PATH}`."""
