"""JSON Schemas of the YAML files, from the same models that check them, for editors.

They are draft-07, which is what YAML language servers understand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from interlock.model.agent import Agent, GuardrailUse
from interlock.model.base import Json, JsonObject
from interlock.model.settings import Settings
from interlock.model.tool import Tool

__all__ = ["duration_text", "generate"]

_DIALECT = "http://json-schema.org/draft-07/schema#"
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))
_SINGLE = ("items", "additionalProperties", "propertyNames", "if", "then", "else", "not")
_LISTS = ("allOf", "anyOf", "oneOf")
_MAPS = ("properties", "patternProperties", "definitions")


def generate(guardrails: Mapping[str, type[BaseModel]]) -> Mapping[str, str]:
    """The text of each schema file by its name.

    Args:
        guardrails: The settings of every guardrail that an agent can use, by name.
    """
    agent = _schema("Interlock agent", Agent, guardrails)
    tool = _schema("Interlock tool", Tool)
    tool["allOf"] = _tool_kinds()
    settings = _schema("Interlock service", Settings)
    schemas = {"agent.json": agent, "interlock.json": settings, "tool.json": tool}
    return {
        name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def duration_text(length: timedelta) -> str:
    """A length of time as YAML writes it: `60s`, `5m`, `1500ms`."""
    milliseconds = round(length / timedelta(milliseconds=1))
    seconds, rest = divmod(milliseconds, 1000)
    if rest:
        return f"{milliseconds}ms"
    for size, unit in _UNITS:
        # One of a unit is written in the smaller one, as in the documentation: 60s, not 1m.
        if seconds % size == 0 and seconds // size > 1:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


class _Generator(GenerateJsonSchema):
    """pydantic's schemas with values as they stand in YAML."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, dft: Any) -> Any:
        return _yaml_value(dft)

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        number = self.float_schema(core_schema.float_schema(ge=_float(schema.get("ge"))))
        return {"anyOf": [number, {"type": "string", "pattern": r"^\d+(\.\d+)?$"}]}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if isinstance(inner.get("type"), str) and not inner.keys() & {"enum", "const"}:
            return {**inner, "type": [inner["type"], "null"]}
        return self.get_union_of_schemas([inner, {"type": "null"}])


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _yaml_value(value: Any) -> Json:
    match value:
        case BaseModel():
            return _yaml_value(value.model_dump(by_alias=True, exclude_none=True))
        case timedelta():
            return duration_text(value)
        case Decimal():
            return float(value)
        case dict():
            return {key: _yaml_value(item) for key, item in value.items()}
        case list() | tuple():
            return [_yaml_value(item) for item in value]
    return value


def _schema(
    title: str, model: type[BaseModel], guardrails: Mapping[str, type[BaseModel]] | None = None
) -> JsonObject:
    settings = guardrails or {}
    references, whole = models_json_schema(
        [(one, "validation") for one in dict.fromkeys([model, *settings.values()])],
        by_alias=True,
        ref_template="#/definitions/{model}",
        union_format="primitive_type_array",
        schema_generator=_Generator,
    )
    definitions: JsonObject = whole["$defs"]
    root = definitions.pop(_target(references[model, "validation"]))
    del root["title"]
    if settings:
        named = {
            name: references[settings_model, "validation"]
            for name, settings_model in settings.items()
        }
        _offer_guardrails(definitions, named)
    schema = {"$schema": _DIALECT, "title": title, **root, "definitions": definitions}
    for part in list(_parts(schema)):
        _to_draft_07(part)
    return schema


def _target(reference: JsonObject) -> str:
    return str(reference["$ref"]).removeprefix("#/definitions/")


def _offer_guardrails(definitions: JsonObject, settings: Mapping[str, JsonObject]) -> None:
    """Names the guardrails in `use`, and ties `with` to the settings of the one that is named."""
    use = definitions[GuardrailUse.__name__]
    name = use["properties"]["use"]
    use["properties"]["use"] = {"description": name["description"], "enum": sorted(settings)}
    use["allOf"] = [
        {
            "if": {"properties": {"use": {"const": guardrail}}, "required": ["use"]},
            "then": {
                "properties": {"with": reference},
                # Settings without a default have to be given.
                "required": ["with"] if definitions[_target(reference)].get("required") else [],
            },
        }
        for guardrail, reference in sorted(settings.items())
    ]


def _tool_kinds() -> list[JsonObject]:
    """What `Tool` itself checks beyond the shape of its keys."""
    kinds = [name for name in ("http", "python") if name in Tool.model_fields]
    given: list[JsonObject] = [
        {"properties": {kind: {"type": "object"}}, "required": [kind]} for kind in kinds
    ]
    absent: JsonObject = {"type": "null"}
    return [
        {
            "if": _category("escalation"),
            "then": {"properties": dict.fromkeys(kinds, absent)},
            "else": {"oneOf": given},
        },
        {
            "if": {"not": _category("mutation")},
            "then": {"properties": {"idempotency": absent}},
        },
    ]


def _category(name: str) -> JsonObject:
    return {"properties": {"category": {"const": name}}, "required": ["category"]}


def _parts(schema: Any) -> Iterator[JsonObject]:
    """A schema and all schemas in it; values such as defaults are not schemas."""
    if not isinstance(schema, dict):
        return
    for key in _SINGLE:
        yield from _parts(schema.get(key))
    for key in _LISTS:
        for part in schema.get(key, ()):
            yield from _parts(part)
    for key in _MAPS:
        for part in schema.get(key, {}).values():
            yield from _parts(part)
    yield schema


def _to_draft_07(schema: JsonObject) -> None:
    if "$ref" in schema and len(schema) > 1:
        # Draft-07 ignores whatever stands beside a reference.
        schema["allOf"] = [{"$ref": schema.pop("$ref")}]
    if schema.get("default", ...) is None:
        del schema["default"]
    if "patternProperties" in schema:
        schema.setdefault("additionalProperties", False)
    names = schema.get("propertyNames", {}).get("enum")
    if names is not None:
        # Editors complete keys that are properties.
        del schema["propertyNames"]
        schema["properties"] = {name: schema["additionalProperties"] for name in names}
        schema["additionalProperties"] = False
