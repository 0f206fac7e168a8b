"""The request's top-level fields, checked as the API checks them: the first mistake is a 400.

Fields that need a beta header are not accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from interlock.model.base import JsonObject
from interlock.sim.blocks import check_cache_control, read_content
from interlock.sim.errors import ApiError, reject
from interlock.sim.messages import read_messages
from interlock.sim.models import ModelTraits, find_model
from interlock.sim.request import Request
from interlock.sim.schemas import check_output_schema, check_schema
from interlock.sim.tools import check_tool_choice, check_tools

__all__ = ["validate_request"]

_COUNTED = frozenset(
    (
        "cache_control",
        "messages",
        "model",
        "output_config",
        "speed",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    )
)
"""What `count_tokens` accepts."""

_SAMPLING = ("temperature", "top_p", "top_k")


def validate_request(body: Any, *, any_model: bool, counting: bool = False) -> Request:
    """The request, or `ApiError` with the API's status and a message that names the field.

    `counting` is for `count_tokens`, which takes fewer fields.
    """
    if not isinstance(body, dict):
        raise ApiError(400, "The request body must be a JSON object")
    _check_names(body, counting=counting)
    model = body["model"]
    if not isinstance(model, str) or not model:
        reject("model", "Input should be a non-empty string")
    traits = find_model(model, any_model=any_model)
    if traits is None:
        raise ApiError(404, f"model: {model}")
    for name, check in _CHECKS.items():
        if name in body:
            check(body[name], name)
    max_tokens = traits.max_output_tokens
    if not counting:
        max_tokens = _read_max_tokens(body["max_tokens"], model, traits)
    if "thinking" in body:
        _check_thinking(body["thinking"], max_tokens, traits)
    if "output_config" in body:
        _check_output_config(body["output_config"], traits)
    tools = check_tools(body["tools"]) if "tools" in body else []
    if "tool_choice" in body:
        check_tool_choice(body["tool_choice"], tools, traits)
    return Request(
        body=body,
        model=model,
        traits=traits,
        max_tokens=max_tokens,
        stream=body.get("stream", False),
        system=_read_system(body["system"]) if "system" in body else [],
        tools=tools,
        messages=read_messages(body["messages"], traits, has_tools=bool(tools)),
    )


def _check_names(body: JsonObject, *, counting: bool) -> None:
    required = ("model", "messages") if counting else ("model", "max_tokens", "messages")
    for name in required:
        if name not in body:
            reject(name, "Field required")
    for name in _SAMPLING:
        if name in body:
            reject(name, "sampling parameters are not supported by this version of the API")
    allowed = _COUNTED if counting else _ALLOWED
    for name in body:
        if name not in allowed:
            reject(name, "Extra inputs are not permitted")


def _read_max_tokens(value: Any, model: str, traits: ModelTraits) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        reject("max_tokens", "Input should be a valid integer")
    # The API takes 0, to warm a cache. A runtime that sends it has more likely run out of budget.
    if value < 1:
        reject("max_tokens", "Input should be greater than or equal to 1")
    if value > traits.max_output_tokens:
        reject(
            "max_tokens",
            f"{value} > {traits.max_output_tokens}, which is the maximum allowed number of output "
            f"tokens for {model}",
        )
    return value


def _read_system(value: Any) -> list[JsonObject]:
    if value == "":
        return []
    blocks = read_content(value, "system")
    for index, block in enumerate(blocks):
        if block["type"] != "text":
            reject(f"system.{index}.type", "Input should be 'text'")
    return blocks


def _check_thinking(value: Any, max_tokens: int, traits: ModelTraits) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _THINKING_KEYS:
        reject("thinking.type", f"Input should be one of: {', '.join(_THINKING_KEYS)}")
    if kind not in traits.thinking:
        accepted = " or ".join(f'"{name}"' for name in sorted(traits.thinking))
        reject("thinking.type", f'"{kind}" is not supported for this model; use {accepted}')
    for name in value:
        if name not in _THINKING_KEYS[kind]:
            reject(f"thinking.{kind}.{name}", "Extra inputs are not permitted")
    if value.get("display") not in (None, "summarized", "omitted"):
        reject(f"thinking.{kind}.display", "Input should be 'summarized' or 'omitted'")
    if kind == "enabled":
        budget = value.get("budget_tokens")
        if not isinstance(budget, int) or isinstance(budget, bool) or budget < 1024:
            reject("thinking.enabled.budget_tokens", "Input should be at least 1024")
        if budget >= max_tokens:
            reject("max_tokens", "must be greater than `thinking.budget_tokens`")


_THINKING_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "adaptive": ("type", "display"),
        "between_tools": ("type",),
        "disabled": ("type",),
        "enabled": ("type", "display", "budget_tokens"),
    }
)


def _check_output_config(value: Any, traits: ModelTraits) -> None:
    _check_object(value, "output_config", ("effort", "format"))
    effort = value.get("effort")
    if effort is not None:
        _one_of("low", "medium", "high", "xhigh", "max")(effort, "output_config.effort")
        if effort not in traits.efforts:
            reject("output_config.effort", f"'{effort}' is not supported for this model")
    output = value.get("format")
    if output is not None:
        _check_object(output, "output_config.format", ("type", "schema"))
        if output.get("type") != "json_schema":
            reject("output_config.format.type", "Input should be 'json_schema'")
        check_schema(output.get("schema"), "output_config.format.schema")
        check_output_schema(output["schema"], "output_config.format.schema")


def _check_object(value: Any, name: str, keys: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        reject(name, "Input should be an object")
    for key in value:
        if key not in keys:
            reject(f"{name}.{key}", "Extra inputs are not permitted")


def _check_bool(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        reject(name, "Input should be a valid boolean")


def _check_optional_string(value: Any, name: str) -> None:
    if value is not None and not isinstance(value, str):
        reject(name, "Input should be a valid string")


def _check_container(value: Any, name: str) -> None:
    if value is not None and not isinstance(value, str | dict):
        reject(name, "Input should be a valid string or object")


def _check_optional_object(value: Any, name: str) -> None:
    if value is not None and not isinstance(value, dict):
        reject(name, "Input should be an object")


def _check_stop_sequences(value: Any, name: str) -> None:
    if not isinstance(value, list):
        reject(name, "Input should be a valid list")
    for index, item in enumerate(value):
        if not isinstance(item, str):
            reject(f"{name}.{index}", "Input should be a valid string")
        if not item.strip():
            reject(name, "each stop sequence must contain non-whitespace")


def _check_metadata(value: Any, name: str) -> None:
    _check_object(value, name, ("user_id",))
    user = value.get("user_id")
    _check_optional_string(user, f"{name}.user_id")
    if user is not None and len(user) > 256:
        reject(f"{name}.user_id", "String should have at most 256 characters")


def _check_top_cache_control(value: Any, name: str) -> None:
    if value is not None:
        check_cache_control(value, name)


def _one_of(*choices: str | None) -> Callable[[Any, str], None]:
    def check(value: Any, name: str) -> None:
        if value not in choices:
            shown = ", ".join(f"'{choice}'" for choice in choices if choice is not None)
            reject(name, f"Input should be one of: {shown}")

    return check


_CHECKS: Mapping[str, Callable[[Any, str], None]] = MappingProxyType(
    {
        "cache_control": _check_top_cache_control,
        "container": _check_container,
        "diagnostics": _check_optional_object,
        "inference_geo": _check_optional_string,
        "metadata": _check_metadata,
        "service_tier": _one_of("auto", "standard_only"),
        "speed": _one_of("standard", "fast", None),
        "stop_sequences": _check_stop_sequences,
        "stream": _check_bool,
    }
)
"""Fields whose rules depend on nothing else in the request."""

_ALLOWED = _COUNTED | _CHECKS.keys() | {"max_tokens"}
"""What `messages` accepts."""
