"""The tools that a request offers, and its choice among them."""

from __future__ import annotations

import re
from typing import Any

from interlock.model.base import JsonObject
from interlock.sim.blocks import check_cache_control
from interlock.sim.errors import ApiError, reject
from interlock.sim.models import ModelTraits
from interlock.sim.schemas import check_output_schema, check_schema

__all__ = ["check_tool_choice", "check_tools"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KEYS = frozenset(
    (
        "allowed_callers",
        "cache_control",
        "defer_loading",
        "description",
        "eager_input_streaming",
        "input_examples",
        "input_schema",
        "name",
        "strict",
        "type",
    )
)
_SERVER_TOOL = re.compile(r"[a-z0-9_]+_20\d{6}")


def check_tools(value: Any) -> list[JsonObject]:
    """The tools, or `ApiError` for the first one that the API would refuse."""
    if not isinstance(value, list):
        reject("tools", "Input should be a valid list")
    names: set[str] = set()
    for index, tool in enumerate(value):
        place = f"tools.{index}"
        if not isinstance(tool, dict):
            reject(place, "Input should be an object")
        if tool.get("cache_control") is not None:
            check_cache_control(tool["cache_control"], f"{place}.cache_control")
        kind = tool.get("type")
        if kind is None or kind == "custom":
            _check_custom(tool, f"{place}.custom")
        elif not isinstance(kind, str) or not _SERVER_TOOL.fullmatch(kind):
            reject(place, f"Input tag '{kind}' found using 'type' does not match any expected tag")
        name = tool.get("name")
        if not isinstance(name, str):
            reject(f"{place}.name", "Input should be a valid string")
        if name in names:
            raise ApiError(400, f"tools: Tool names must be unique, found '{name}' again")
        names.add(name)
    return value


def check_tool_choice(value: Any, tools: list[JsonObject], traits: ModelTraits) -> None:
    """Refuses a choice that the model does not take or that names no offered tool."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("auto", "any", "tool", "none"):
        reject("tool_choice.type", "Input should be one of: 'auto', 'any', 'tool', 'none'")
    for key in value:
        if key not in ("type", "disable_parallel_tool_use", "name"):
            reject(f"tool_choice.{kind}.{key}", "Extra inputs are not permitted")
    if not isinstance(value.get("disable_parallel_tool_use", False), bool):
        reject(f"tool_choice.{kind}.disable_parallel_tool_use", "Input should be a valid boolean")
    if not tools:
        reject("tool_choice", "may only be specified while providing tools")
    if kind in ("any", "tool") and not traits.forced_tools:
        reject("tool_choice", f"type '{kind}' forces tool use, which this model does not support")
    if kind == "tool":
        name = value.get("name")
        if name not in [tool.get("name") for tool in tools]:
            reject("tool_choice", f"Tool '{name}' not found in provided tools")


def _check_custom(tool: JsonObject, place: str) -> None:
    for key in ("name", "input_schema"):
        if key not in tool:
            reject(f"{place}.{key}", "Field required")
    if not tool.keys() <= _KEYS:
        reject(f"{place}.{min(tool.keys() - _KEYS)}", "Extra inputs are not permitted")
    name = tool["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        reject(f"{place}.name", f"String should match pattern '^{_NAME.pattern}$'")
    if not isinstance(tool.get("description", ""), str):
        reject(f"{place}.description", "Input should be a valid string")
    if not isinstance(tool.get("strict", False), bool):
        reject(f"{place}.strict", "Input should be a valid boolean")
    schema = tool["input_schema"]
    check_schema(schema, f"{place}.input_schema")
    if schema.get("type") != "object":
        reject(f"{place}.input_schema.type", "Input should be 'object'")
    if tool.get("strict"):
        check_output_schema(schema, f"{place}.input_schema")
