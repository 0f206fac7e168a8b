"""Content blocks: which types there are, who may say them, and what each must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from interlock.model.base import JsonObject
from interlock.sim.errors import reject

__all__ = ["check_block", "check_cache_control", "read_content"]

_TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_-]+")

_KEYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": frozenset(("type", "text", "cache_control", "citations")),
        "thinking": frozenset(("type", "thinking", "signature")),
        "redacted_thinking": frozenset(("type", "data")),
        "tool_use": frozenset(
            ("type", "id", "name", "input", "cache_control", "caller", "toolset_name")
        ),
        "tool_result": frozenset(
            ("type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name")
        ),
    }
)
"""The keys of the blocks that are checked in full; others are only checked for their type."""

_USER = frozenset(("text", "image", "document", "search_result", "tool_result", "container_upload"))
_ASSISTANT = frozenset(
    (
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "container_upload",
    )
)
_ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"user": _USER, "assistant": _ASSISTANT, "system": frozenset(("text",))}
)
_IN_RESULTS = frozenset(("text", "image", "search_result", "document", "tool_reference"))


def read_content(value: Any, place: str) -> list[JsonObject]:
    """A content as blocks that are objects with a `type`; texts are checked for being non-empty."""
    if isinstance(value, str):
        value = [{"type": "text", "text": value}]
    if not isinstance(value, list):
        reject(place, "Input should be a valid string or list")
    for index, block in enumerate(value):
        where = f"{place}.{index}"
        if not isinstance(block, dict):
            reject(where, "Input should be an object")
        kind = block.get("type")
        if not isinstance(kind, str):
            reject(f"{where}.type", "Field required")
        if "cache_control" in block and block["cache_control"] is not None:
            check_cache_control(block["cache_control"], f"{where}.cache_control")
        if kind == "text":
            _check_text(block, where)
    return value


def check_block(block: JsonObject, role: str, place: str) -> None:
    """Refuses a block that `role` may not say, or that lacks or adds a field."""
    kind = block["type"]
    if kind not in _ROLES[role]:
        if kind in _USER | _ASSISTANT:
            reject(place, f"`{kind}` blocks are not allowed in {role} messages")
        expected = ", ".join(f"'{name}'" for name in sorted(_ROLES[role]))
        reject(
            place,
            f"Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            f"{expected}",
        )
    keys = _KEYS.get(kind)
    if keys is not None and not block.keys() <= keys:
        extra = min(block.keys() - keys)
        reject(f"{place}.{kind}.{extra}", "Extra inputs are not permitted")
    check = _CHECKS.get(kind)
    if check is not None:
        check(block, place)
    if kind == "text" and role == "user" and block.get("citations"):
        reject(f"{place}.text.citations", "citations are not permitted in user messages")


def check_cache_control(value: Any, place: str) -> None:
    """Refuses anything but `{"type": "ephemeral"}` with an optional `ttl` of 5m or 1h."""
    if not isinstance(value, dict) or value.get("type") != "ephemeral":
        reject(f"{place}.type", "Input should be 'ephemeral'")
    for key in value:
        if key not in ("type", "ttl"):
            reject(f"{place}.{key}", "Extra inputs are not permitted")
    if value.get("ttl", "5m") not in ("5m", "1h"):
        reject(f"{place}.ttl", "Input should be '5m' or '1h'")


def _check_text(block: JsonObject, place: str) -> None:
    text = block.get("text")
    if not isinstance(text, str):
        reject(f"{place}.text.text", "Input should be a valid string")
    if not text:
        reject(place, "text content blocks must be non-empty")
    if text.isspace():
        reject(place, "text content blocks must contain non-whitespace text")


def _check_thinking(block: JsonObject, place: str) -> None:
    _check_string(block, "thinking", f"{place}.thinking")
    _check_string(block, "signature", f"{place}.thinking")


def _check_redacted(block: JsonObject, place: str) -> None:
    _check_string(block, "data", f"{place}.redacted_thinking")


def _check_tool_use(block: JsonObject, place: str) -> None:
    where = f"{place}.tool_use"
    _check_string(block, "id", where)
    if not _TOOL_USE_ID.fullmatch(block["id"]):
        reject(f"{where}.id", f"String should match pattern '^{_TOOL_USE_ID.pattern}$'")
    _check_string(block, "name", where)
    if not isinstance(block.get("input"), dict):
        reject(f"{where}.input", "Input should be a valid dictionary")


def _check_tool_result(block: JsonObject, place: str) -> None:
    where = f"{place}.tool_result"
    _check_string(block, "tool_use_id", where)
    if not isinstance(block.get("is_error", False), bool):
        reject(f"{where}.is_error", "Input should be a valid boolean")
    content = block.get("content", "")
    if content == "" or content == []:
        return
    for index, part in enumerate(read_content(content, f"{where}.content")):
        if part["type"] not in _IN_RESULTS:
            reject(f"{where}.content.{index}", f"`{part['type']}` blocks are not allowed here")


def _check_string(block: JsonObject, key: str, place: str) -> None:
    if key not in block:
        reject(f"{place}.{key}", "Field required")
    if not isinstance(block[key], str):
        reject(f"{place}.{key}", "Input should be a valid string")


_CHECKS: Mapping[str, Callable[[JsonObject, str], None]] = MappingProxyType(
    {
        "thinking": _check_thinking,
        "redacted_thinking": _check_redacted,
        "tool_use": _check_tool_use,
        "tool_result": _check_tool_result,
    }
)
