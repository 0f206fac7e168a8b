"""JSON Schemas of the YAML files, from the same models that check them, for editors.

They are draft-07, which is what YAML language servers understand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from interlock.config.draft_07 import to_draft_07
from interlock.model.agent import Agent, GuardrailUse
from interlock.model.base import Duration, Json, JsonObject, Name, Quantity, SecretRef
from interlock.model.settings import PluginRequirement, Plugins, Settings, SinkUse
from interlock.model.tool import Tool

__all__ = ["duration_text", "generate"]

SettingsModels = Mapping[str, type[BaseModel]]

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))
_NUMBER = r"^\d+(\.\d+)?$"
# A rule beside the keys' own schemas, from which editors shall not offer the key once more.
_OBJECT: Mapping[str, Json] = {"type": "object", "doNotSuggest": True}


def generate(
    guardrails: SettingsModels,
    *,
    sinks: SettingsModels = MappingProxyType({}),
    plugins: SettingsModels = MappingProxyType({}),
) -> Mapping[str, str]:
    """The text of each schema file by its name.

    Args:
        guardrails: The settings of every guardrail that an agent can use, by name.
        sinks: The same of every sink.
        plugins: The settings of the plugins that have any, by name.
    """
    agent = _schema("Interlock agent", Agent, GuardrailUse, guardrails)
    tool = _schema("Interlock tool", Tool)
    tool["allOf"] = _tool_kinds()
    settings = _schema("Interlock service", Settings, SinkUse, sinks, plugins)
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
        number, _ = super().decimal_schema(schema)["anyOf"]
        return {**number, "type": ["number", "string"], "pattern": _NUMBER}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        match inner:
            case {"type": str() | list() as types, **rest} if "const" not in rest:
                if "enum" in rest:
                    rest["enum"] = [*rest["enum"], None]
                return {**rest, "type": [*([types] if isinstance(types, str) else types), "null"]}
            case {"oneOf": list() as alternatives, **rest}:
                return {**rest, "oneOf": [*alternatives, {"type": "null"}]}
        return self.get_union_of_schemas([inner, {"type": "null"}])


def _yaml_value(value: Any) -> Json:
    match value:
        case BaseModel():
            return _yaml_value(value.model_dump(by_alias=True, exclude_none=True))
        case timedelta():
            return duration_text(value)
        case Quantity():
            return str(value)
        case Decimal():
            return float(value)
        case dict():
            return {key: _yaml_value(item) for key, item in value.items()}
        case list() | tuple():
            return [_yaml_value(item) for item in value]
    return value


def _schema(
    title: str,
    model: type[BaseModel],
    use: type[BaseModel] | None = None,
    settings: SettingsModels = MappingProxyType({}),
    plugins: SettingsModels = MappingProxyType({}),
) -> JsonObject:
    models = dict.fromkeys([model, *settings.values(), *plugins.values()])
    references, whole = models_json_schema(
        [(one, "validation") for one in models],
        by_alias=True,
        ref_template="#/definitions/{model}",
        union_format="primitive_type_array",
        schema_generator=_Generator,
    )
    definitions: JsonObject = whole["$defs"]
    root = definitions.pop(_target(references[model, "validation"]))
    if use is not None and settings:
        _offer_uses(definitions, definitions[use.__name__], _named(settings, references))
    if plugins:
        own = definitions[Plugins.__name__]["properties"]["settings"]
        own["properties"] = _named(plugins, references)
    if SecretRef.__name__ in definitions:
        definitions[SecretRef.__name__]["allOf"] = _secret_sources()
    return to_draft_07(title, root, definitions, meanings=_meanings())


def _meanings() -> Mapping[str, str]:
    """What the patterns in the schemas mean, in words."""
    kinds = (
        (Name, "Must be a letter, then letters, digits, _ and -; 64 at most."),
        (PluginRequirement, "Must be a plugin's name, or NAME>=VERSION."),
        (Duration, "Must be a time such as 500ms, 10s, 5m or 1h."),
    )
    words = {TypeAdapter(kind).json_schema()["pattern"]: text for kind, text in kinds}
    return {**words, _NUMBER: "Must be a number."}


def _named(settings: SettingsModels, references: Mapping[Any, JsonObject]) -> dict[str, JsonObject]:
    return {name: references[model, "validation"] for name, model in sorted(settings.items())}


def _target(reference: JsonObject) -> str:
    return str(reference["$ref"]).removeprefix("#/definitions/")


def _offer_uses(
    definitions: JsonObject, use: JsonObject, settings: Mapping[str, JsonObject]
) -> None:
    """Names what there is in `use`, and ties `with` to the settings of the one that is named."""
    name, given = use["properties"]["use"], use["properties"]["with"]
    del name["pattern"]
    name["enum"] = sorted(settings)
    # Editors offer the settings of the one that is named, and no others.
    given["doNotSuggest"] = True
    use["allOf"] = []
    for kind, reference in sorted(settings.items()):
        chosen = {
            "type": "object",
            "properties": {"use": {"const": kind}},
            "required": ["use"],
        }
        then: JsonObject = {"properties": {"with": reference}}
        if definitions[_target(reference)].get("required"):
            then["required"] = ["with"]
        use["allOf"].append({"if": chosen, "then": then})


def _secret_sources() -> list[JsonObject]:
    """What `SecretRef` itself checks beyond the shape of its keys, in the same words."""
    text = {"type": "string", "doNotSuggest": True}
    either = "needs either 'env' or 'file'"
    return [
        {
            "if": {"properties": {"file": text}, "required": ["file"]},
            "then": {
                "properties": {
                    "env": _absent(either),
                    "default": _absent("'default' belongs to 'env', not to 'file'"),
                }
            },
            "else": {
                "type": "object",
                "properties": {"env": text},
                "required": ["env"],
                "errorMessage": either,
            },
        }
    ]


def _tool_kinds() -> list[JsonObject]:
    """What `Tool` itself checks beyond the shape of its keys, in the same words."""
    kinds = ("http", "python")
    one_of_them = "a tool says how it is carried out: by 'http' or by 'python'"
    given: list[JsonObject] = [
        {"properties": {kind: _OBJECT}, "required": [kind], "errorMessage": one_of_them}
        for kind in kinds
    ]
    return [
        {
            "if": _category("escalation"),
            "then": {
                "properties": {
                    kind: _absent(f"an escalation tool has no '{kind}': the runtime carries it out")
                    for kind in kinds
                }
            },
            "else": {"anyOf": given},
        },
        *(
            {
                "if": {"properties": dict.fromkeys(two, _OBJECT), "required": list(two)},
                "then": {"properties": dict.fromkeys(two, _absent(one_of_them))},
            }
            for two in combinations(kinds, 2)
        ),
        {
            "if": {"not": _category("mutation")},
            "then": {
                "properties": {
                    "idempotency": _absent("only a tool of category 'mutation' has 'idempotency'")
                }
            },
        },
    ]


def _absent(message: str) -> JsonObject:
    return {"type": "null", "errorMessage": message, "doNotSuggest": True}


def _category(name: str) -> JsonObject:
    return {"properties": {"category": {"const": name}}, "required": ["category"]}
