"""pydantic's JSON Schemas in draft-07, shaped so that editors complete and explain them well.

What they accept stays the same; how it is said decides what an editor can offer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from interlock.model.base import JsonObject

__all__ = ["to_draft_07"]

_DIALECT = "http://json-schema.org/draft-07/schema#"
_REFERENCE = "#/definitions/"
_SINGLE = ("items", "additionalProperties", "propertyNames", "if", "then", "else", "not")
_LISTS = ("allOf", "anyOf", "oneOf", "items")
_MAPS = ("properties", "patternProperties")


def to_draft_07(
    title: str, root: JsonObject, definitions: JsonObject, *, meanings: Mapping[str, str]
) -> JsonObject:
    """The schema of a file; keeps the definitions that it still refers to.

    Args:
        title: What editors call the file.
        root: The schema of the whole document.
        definitions: What `#/definitions/NAME` in it stands for.
        meanings: What editors say instead of a regular expression that does not match.
    """
    for name, definition in definitions.items():
        if definition["title"] == name:
            definition["title"] = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    schemas = _Schemas(definitions, meanings)
    for part in (root, *definitions.values()):
        schemas.convert(part)
    kept: JsonObject = {}
    pending = [root]
    while pending:
        for name in _referred(pending.pop()):
            if name not in kept:
                kept[name] = definitions[name]
                pending.append(definitions[name])
    head = {"$schema": _DIALECT, "title": title}
    return {**head, **root, **head, "definitions": dict(sorted(kept.items()))}


class _Schemas:
    """The schemas of one file, converted in place."""

    def __init__(self, definitions: JsonObject, meanings: Mapping[str, str]) -> None:
        self._definitions = definitions
        self._meanings = meanings

    def convert(self, part: JsonObject) -> None:
        """Converts a schema and all schemas in it."""
        self._inline(part)
        _split_by_type(part)
        if "prefixItems" in part:
            part["items"] = part.pop("prefixItems")
        _offer_keys(part)
        _hand_down_defaults(part)
        if meaning := self._meanings.get(part.get("pattern", "")):
            part["patternErrorMessage"] = meaning
        for child in _children(part):
            self.convert(child)

    def _inline(self, part: JsonObject) -> None:
        """Draft-07 ignores whatever stands beside a reference, and editors forget the keys."""
        match part:
            case {"$ref": reference, **siblings} if siblings:
                target = deepcopy(self._target(reference))
            case {"anyOf": [{"$ref": reference}, {"type": "null"}], **siblings}:
                target = deepcopy(self._target(reference))
                target["type"] = [target["type"], "null"]
            case _:
                return
        part.clear()
        part.update({**target, **siblings})

    def _target(self, reference: str) -> JsonObject:
        target: JsonObject = self._definitions[reference.removeprefix(_REFERENCE)]
        return target


def _split_by_type(part: JsonObject) -> None:
    """A plain value or a mapping: editors report one reason instead of one an alternative."""
    alternatives = part.get("oneOf", [])
    plain = [one["type"] for one in alternatives if one.keys() == {"type"}]
    mappings = [one for one in alternatives if one.keys() == {"$ref"}]
    if len(mappings) == 1 and len(plain) + 1 == len(alternatives):
        del part["oneOf"]
        part["type"] = [*plain, "object"]
        part["if"] = {"type": "object"}
        part["then"] = mappings[0]


def _offer_keys(part: JsonObject) -> None:
    """Editors offer keys that are properties, and a place for a key of one's own by its rule."""
    if (patterns := part.pop("patternProperties", None)) is not None:
        ((pattern, item),) = patterns.items()
        part["propertyNames"] = {"title": "name", "pattern": pattern}
        part["additionalProperties"] = item
    names = part.get("propertyNames", {}).get("enum")
    if names is not None:
        del part["propertyNames"]
        item = {"description": part["description"], **part["additionalProperties"]}
        part["properties"] = {name: deepcopy(item) for name in names}
        part["additionalProperties"] = False


def _hand_down_defaults(part: JsonObject) -> None:
    """Editors write the default of a mapping or list out in full; those of its keys are offered."""
    default = part.get("default")
    if isinstance(default, dict) and "properties" in part:
        for key, value in default.items():
            part["properties"][key]["default"] = value
        del part["default"]
    elif default in (None, {}, []):
        part.pop("default", None)


def _children(part: JsonObject) -> Iterator[JsonObject]:
    """The schemas directly in a schema; values such as defaults are not schemas."""
    found: list[Any] = [part.get(key) for key in _SINGLE]
    for key in _LISTS:
        found.extend(part[key] if isinstance(part.get(key), list) else ())
    for key in _MAPS:
        found.extend(part.get(key, {}).values())
    yield from (child for child in found if isinstance(child, dict))


def _referred(part: JsonObject) -> Iterator[str]:
    if "$ref" in part:
        yield str(part["$ref"]).removeprefix(_REFERENCE)
    for child in _children(part):
        yield from _referred(child)
