"""Values as they are stored: valid Unicode, JSON and times as text, file bytes compressed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic_core import from_json, to_json

from interlock.errors import StoreError
from interlock.model.base import Json

__all__ = [
    "clean_text",
    "decode_json",
    "encode_json",
    "encode_time",
    "pack_files",
    "unpack_files",
]


def clean_text(text: str) -> str:
    """`text` with what a database cannot hold (lone surrogates, NUL) replaced by U+FFFD.

    Two halves of a surrogate pair become the character that they stand for.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _mend(text)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def encode_json(value: Json) -> str:
    """`value` as JSON text; lone surrogates become U+FFFD, NaN and infinities become null.

    Raises `StoreError` for what JSON cannot hold.
    """
    try:
        return _dump(value)
    except ValueError:
        pass  # may be a lone surrogate, which is rare enough to be looked for only now
    try:
        return _dump(_clean(value))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"a value is not JSON: {error}") from error


def decode_json(text: str) -> Json:
    """The inverse of `encode_json`."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)  # slower, but knows deeper nesting: 200 levels are the end there


def encode_time(time: datetime) -> str:
    """A timezone-aware time as ISO 8601 text in UTC with microseconds, which sorts as text."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _dump(value: Json) -> str:
    return to_json(value, inf_nan_mode="null").decode()


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return _mend(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _mend(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """Files by path as one compressed value; bytes that are not UTF-8 are kept exactly too."""
    texts = {path: content.decode(errors="surrogateescape") for path, content in files.items()}
    return zlib.compress(json.dumps(texts, sort_keys=True).encode())


def unpack_files(packed: bytes) -> dict[str, bytes]:
    """The inverse of `pack_files`."""
    texts: dict[str, str] = json.loads(zlib.decompress(packed))
    return {path: text.encode(errors="surrogateescape") for path, text in texts.items()}
