"""The parts of a configuration as text, without the secrets that may stand in them."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import yaml

from interlock.config.diff_tree import NULL, ORDER, Secret, Tree, key_of
from interlock.config.difference import Difference
from interlock.config.schema import duration_text
from interlock.model.base import Quantity

__all__ = ["HIDDEN", "after_text", "before_text", "without_secrets"]

HIDDEN = "(hidden)"
"""What stands for a text that may be a secret."""

_HASH = 12
"""Digits of a hash that tell it from others."""
_ONE_LINE = 60
_SECRET = "api[-_]?key|authorization|cookie|credential|passw|secret|token"
_SECRET_KEY = re.compile(_SECRET, re.IGNORECASE)
_OF_A_URL = (
    (re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(rf"(?i)([?&][\w-]*(?:{_SECRET}|key|sig)[\w-]*=)[^&\s#]+"), rf"\1{HIDDEN}"),
)


def before_text(difference: Difference) -> str | None:
    """The part as it was; None if it was not there."""
    return _text(difference, difference.before)


def after_text(difference: Difference) -> str | None:
    """The part as it is; None if it is not there any more."""
    return _text(difference, difference.after)


def without_secrets(path: tuple[str, ...], text: str) -> str:
    """The text at `path` of a document as it may be shown to anybody."""
    return HIDDEN if _is_secret(path, text) else _without_passwords(text)


def _text(difference: Difference, value: Tree) -> str | None:
    if value is None:
        return None
    if difference.subject == "plugin":
        return f"sha256 {value[:_HASH]}"
    if not difference.path:
        return str(value["description"]).strip()
    plain = _plain(value, difference.path)
    if isinstance(plain, str) and "\n" in plain:
        return plain
    flow = _dump(plain, flow=True)
    # A long list is easier to read with a line for each of its parts.
    return flow if len(flow) <= _ONE_LINE or not isinstance(plain, list) else _dump(plain)


class _Dumper(yaml.SafeDumper):
    def represent_text(self, text: str) -> yaml.ScalarNode:
        # Quoted so, a text of several lines takes one.
        return self.represent_scalar("tag:yaml.org,2002:str", text, '"' if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def _dump(value: Any, *, flow: bool = False) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=flow,
        allow_unicode=True,
        width=float("inf"),
        sort_keys=False,
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: Tree, path: tuple[str, ...]) -> Any:
    """A tree as the YAML that it came from, but for what is hidden."""
    match value:
        case dict():
            parts = {
                segment: _plain(part, (*path, segment))
                for segment, part in value.items()
                if segment != ORDER
            }
            if parts and all(segment.startswith("[") for segment in parts):
                return list(parts.values())
            return {key_of(segment): part for segment, part in parts.items()}
        case Secret():
            return HIDDEN
        case str() if path[-1] == "sha256":
            return value[:_HASH]
        case str():
            return without_secrets(path, value)
        case timedelta():
            return duration_text(value)
        case Quantity():
            return str(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case list():
            return [_plain(item, path) for item in value]
    return None if value is NULL else value


def _without_passwords(text: str) -> str:
    for pattern, replacement in _OF_A_URL:
        text = pattern.sub(replacement, text)
    return text


def _is_secret(path: tuple[str, ...], text: str) -> bool:
    """Whether the text at `path` may be a secret itself, and not a reference or a template."""
    match path:
        case (
            ("providers", _, "headers", _)
            | ("providers", _, "headers", _, "default")
            | ("providers", _, "apiKey", "default")
        ):
            return True
    named = not path[-1].startswith("[") and _SECRET_KEY.search(path[-1]) is not None
    return named and "{{" not in text
