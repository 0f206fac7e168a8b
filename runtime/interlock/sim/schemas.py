"""JSON Schemas in requests: valid ones, and the subset that constrained output is limited to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from pydantic_core import from_json, to_json

from interlock.model.base import JsonObject
from interlock.sim.errors import reject

__all__ = ["check_output_schema", "check_schema"]

_UNSUPPORTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "array": frozenset(("maxItems", "uniqueItems", "contains", "prefixItems")),
        "integer": frozenset(
            ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
        ),
        "number": frozenset(
            ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
        ),
        "string": frozenset(("minLength", "maxLength")),
    }
)
"""Constraints that a constrained output cannot follow; the SDK moves them to the description."""

_VARIANTS = ("anyOf", "allOf")
_TYPED = ("type", "anyOf", "allOf", "enum", "const", "$ref")


def check_schema(schema: Any, place: str) -> None:
    """Refuses what is not a JSON Schema."""
    if not isinstance(schema, dict):
        reject(place, "Input should be a valid dictionary")
    problem = _find_problem(to_json(schema))
    if problem is not None:
        reject(place, f"JSON schema is invalid. It must match JSON Schema draft 2020-12: {problem}")


@lru_cache(maxsize=512)
def _find_problem(schema: bytes) -> str | None:
    """What is wrong with a JSON Schema. Finding out takes about a millisecond, hence the memory."""
    try:
        Draft202012Validator.check_schema(from_json(schema))
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"
    return None


def check_output_schema(schema: Any, place: str) -> None:
    """Refuses a valid schema outside the subset: open objects, `oneOf`, most constraints."""
    if not isinstance(schema, dict):
        reject(place, "Input should be a valid dictionary")
    if not any(key in schema for key in _TYPED):
        reject(place, f"Schema must have one of: {', '.join(_TYPED)}")
    if "oneOf" in schema:
        reject(place, "Schema type 'oneOf' is not supported; use 'anyOf'")
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        _check_kind(schema, kind, place)
    for key in _VARIANTS:
        for index, variant in enumerate(schema.get(key) or ()):
            check_output_schema(variant, f"{place}.{key}.{index}")
    for key in ("$defs", "definitions", "properties"):
        for name, part in (schema.get(key) or {}).items():
            check_output_schema(part, f"{place}.{key}.{name}")
    if "items" in schema:
        check_output_schema(schema["items"], f"{place}.items")


def _check_kind(schema: JsonObject, kind: Any, place: str) -> None:
    if kind == "object" and schema.get("additionalProperties") is not False:
        reject(
            place,
            "For 'object' type, 'additionalProperties' must be explicitly set to false",
        )
    found = sorted(_UNSUPPORTED.get(str(kind), frozenset()) & schema.keys())
    if found:
        reject(place, f"For '{kind}' type, properties {', '.join(found)} are not supported")
    if kind == "array" and schema.get("minItems", 0) not in (0, 1):
        reject(place, "For 'array' type, 'minItems' values other than 0 or 1 are not supported")
