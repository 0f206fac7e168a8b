"""What each model accepts, and how `GET /v1/models` describes it.

From the vendor's documentation as of November 2026; what it does not say is left permissive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from interlock.model.base import JsonObject

__all__ = ["MODELS", "ModelTraits", "describe_model", "find_model"]

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THINKING = ("adaptive", "between_tools", "disabled", "enabled")
_DATE = re.compile(r"-\d{8}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTraits:
    """How requests to one model differ from requests to another."""

    line: str | None = None
    max_input_tokens: int = 1_000_000
    max_output_tokens: int = 128_000
    thinking: frozenset[str] = frozenset(("adaptive", "disabled"))
    """The values of `thinking.type` that are accepted."""
    thinks_by_default: bool = False
    """Whether a request without `thinking` may be answered with a thinking block."""
    shows_thinking: bool = False
    """Whether a thinking block has its text when the request does not set `display`."""
    efforts: tuple[str, ...] = _EFFORTS
    """The values of `output_config.effort` that are accepted."""
    forced_tools: bool = True
    """Whether `tool_choice` may be `any` or `tool`."""
    prefill: bool = False
    """Whether the last message may be the assistant's."""
    system_messages: bool = False
    """Whether `messages` may hold the role `system`."""
    binds_thinking: bool = False
    """Whether a replayed thinking block is bound to all that came before it."""
    min_cached_tokens: int = 512
    """The shortest prefix that is cached."""


_5_5 = ModelTraits(
    thinks_by_default=True, forced_tools=False, system_messages=True, binds_thinking=True
)
_5_1 = replace(_5_5, thinking=frozenset(("adaptive",)))
_5 = ModelTraits(thinks_by_default=True, system_messages=True)
_4_6 = ModelTraits(thinking=frozenset(("adaptive", "enabled", "disabled")), shows_thinking=True)
_4_5 = ModelTraits(
    max_input_tokens=200_000,
    max_output_tokens=64_000,
    thinking=frozenset(("enabled", "disabled")),
    shows_thinking=True,
    efforts=(),
    prefill=True,
    min_cached_tokens=4096,
)
_UNKNOWN = ModelTraits(
    thinking=frozenset(_THINKING), system_messages=True, binds_thinking=True, thinks_by_default=True
)
"""A `claude-*` id that is not in the table: as new models are, but accepting every option."""

_FOREIGN = replace(_UNKNOWN, prefill=True)
"""Any other id, which only `models: any` admits."""

MODELS: Mapping[str, ModelTraits] = MappingProxyType(
    {
        "claude-haiku-5-5": replace(_5_5, line="haiku"),
        "claude-sonnet-5-5": replace(
            _5_5, line="sonnet", thinking=frozenset(("adaptive", "between_tools"))
        ),
        "claude-opus-5-5": replace(_5_5, line="opus", thinking=frozenset(("adaptive",))),
        "claude-fable-5-2": replace(_5_1, line="fable"),
        "claude-fable-5-1": replace(_5_1, line="fable"),
        "claude-fable-5": replace(_5, line="fable"),
        "claude-mythos-5-2": replace(_5_1, line="mythos"),
        "claude-mythos-5-1": replace(_5_1, line="mythos"),
        "claude-mythos-5": replace(_5, line="mythos"),
        "claude-opus-5": replace(_5, line="opus"),
        "claude-sonnet-5": replace(_5, line="sonnet"),
        "claude-opus-4-8": ModelTraits(line="opus", system_messages=True),
        "claude-opus-4-7": ModelTraits(line="opus"),
        "claude-opus-4-6": replace(_4_6, line="opus"),
        "claude-sonnet-4-6": replace(_4_6, line="sonnet"),
        "claude-opus-4-5": replace(_4_5, line="opus", efforts=("low", "medium", "high")),
        "claude-sonnet-4-5": replace(_4_5, line="sonnet", min_cached_tokens=1024),
        "claude-haiku-4-5": replace(_4_5, line="haiku"),
    }
)
"""The models that are listed, by id."""


def find_model(name: str, *, any_model: bool) -> ModelTraits | None:
    """The traits of a model; None when the API would not know it."""
    known = MODELS.get(name) or MODELS.get(_DATE.sub("", name))
    if known is not None:
        return known
    if name.startswith("claude-"):
        return _5_5 if name.endswith("-5-5") else _UNKNOWN
    return _FOREIGN if any_model else None


def describe_model(name: str, traits: ModelTraits) -> JsonObject:
    """The model as `GET /v1/models/{id}` answers it."""
    words = name.removeprefix("claude-").split("-")
    version = ".".join(word for word in words if word.isdigit())
    title = " ".join(["Claude", *(w.capitalize() for w in words if not w.isdigit()), version])
    efforts: JsonObject = {level: _supported(level in traits.efforts) for level in _EFFORTS}
    thinking: JsonObject = {kind: _supported(kind in traits.thinking) for kind in _THINKING}
    return {
        "type": "model",
        "id": name,
        "display_name": f"{title.strip()} (simulated)",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": traits.line,
        "max_input_tokens": traits.max_input_tokens,
        "max_tokens": traits.max_output_tokens,
        "capabilities": {
            "batch": _supported(False),
            "citations": _supported(False),
            "code_execution": _supported(False),
            "context_management": _supported(False),
            "effort": {**_supported(bool(traits.efforts)), **efforts},
            "image_input": _supported(True),
            "pdf_input": _supported(True),
            "server_tools": {
                **_supported(False),
                "code_execution": _supported(False),
                "web_search": _supported(False),
            },
            "structured_outputs": _supported(True),
            "thinking": {**_supported(True), "types": thinking},
        },
    }


def _supported(value: bool) -> JsonObject:
    return {"supported": value}
