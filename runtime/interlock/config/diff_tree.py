"""A configuration as trees of comparable parts: defaults filled in, what has no order unordered.

A tree is a mapping from path segments to trees, or a leaf. A segment is written as it appears in a
path: `maxTokens`, or `[get_order]` for a part of a list. What is left out has no segment, so that
a part is there on one side, on the other, or on both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import to_json

from interlock.config.snapshot import PromptTexts
from interlock.model.agent import (
    Agent,
    FastPath,
    Guardrails,
    GuardrailUse,
    Reinforcement,
    ToolSelection,
)
from interlock.model.base import Document, Json, SecretRef
from interlock.model.identity import ApiKey, Auth
from interlock.model.settings import Plugins, Settings, SinkUse
from interlock.model.tool import HttpCall, Idempotency, Loop, PythonCall, Tool

__all__ = ["NULL", "ORDER", "Secret", "Tree", "agent_tree", "key_of", "settings_tree", "tool_tree"]

Tree = Any
"""A dict from segments to trees, or a leaf: a text, number, duration, or a list of such."""


class _Null(Enum):
    NULL = "null"


NULL: Final = _Null.NULL
"""A null that stands in the YAML, as None means that a part is not there."""


class Secret(str):
    """A text that may be a secret, to be compared but never shown."""

    __slots__ = ()


ORDER = "(order)"
"""The segment that holds the order of a list whose parts are known by name."""

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_WORDS = frozenset({"true", "false", "null"})
_DATA = frozenset({"const", "default", "examples"})
"""Keywords of a JSON Schema below which there is data, where lists have an order."""

_UNORDERED = frozenset({"required", "enum", "type"})

Shape = Callable[[Any], Tree]


def agent_tree(
    agent: Agent, texts: PromptTexts, guardrails: Mapping[str, type[Document]]
) -> dict[str, Tree]:
    """The tree of an agent; its prompts are texts, wherever they were written.

    `guardrails` has the settings of those guardrails whose defaults are to be filled in; the
    agent's settings must fit them.
    """
    tree = _document(agent)
    tree["prompts"] = {"system": texts.system}
    if texts.planner is not None:
        tree["prompts"]["planner"] = texts.planner
    declared = agent.guardrails
    for stage, uses in (
        ("input", declared.input),
        ("toolCall", declared.tool_call),
        ("toolResult", declared.tool_result),
        ("output", declared.output),
    ):
        for use, branch in zip(uses, _branches(tree["guardrails"][stage]), strict=True):
            model = guardrails.get(use.use)
            if model is not None:
                branch["with"] = _settings_of(use, model)
    return tree


def tool_tree(tool: Tool) -> dict[str, Tree]:
    """The tree of a tool; its input is compared as a JSON Schema, with what the runtime adds."""
    schema = {"properties": {}, "additionalProperties": False, **tool.input}
    return {**_document(tool), "input": _schema(schema)}


def settings_tree(settings: Settings) -> dict[str, Tree]:
    """The tree of interlock.yaml."""
    return _document(settings)


def key_of(segment: str) -> str:
    """The key of a mapping that a segment stands for."""
    return str(json.loads(segment)) if segment.startswith('"') else segment


def _document(document: BaseModel) -> dict[str, Tree]:
    tree: dict[str, Tree] = {}
    for name, field in type(document).model_fields.items():
        value = getattr(document, name)
        if value is not None:
            shape = _SHAPES.get((type(document), name), _value)
            tree[field.alias or name] = shape(value)
    return tree


def _value(value: Any) -> Tree:
    match value:
        case BaseModel():
            return _document(value)
        case Mapping():
            return {_key(key): _value(item) for key, item in value.items()}
        case list() | tuple() if value and all(isinstance(it, BaseModel | dict) for it in value):
            return {f"[{index}]": _value(item) for index, item in enumerate(value)}
        case list() | tuple():
            return [_value(item) for item in value]
        case Decimal():
            return value.normalize()
        case None:
            return NULL
    return value


def _members(values: Iterable[Any]) -> Tree:
    """A list in which order has no meaning."""
    return {f"[{_member(value)}]": value for value in values}


def _member_lists(lists: Mapping[str, Iterable[Any]]) -> Tree:
    """Such lists by key, of which an empty one means the same as none."""
    return {key: _members(values) for key, values in lists.items() if values}


def _sorted(values: Iterable[str]) -> Tree:
    """A list in which order has no meaning, and which is one value as a whole."""
    return sorted(values)


def _named(name_of: Callable[[Any], str], *, ordered: bool = True) -> Shape:
    """Lists whose parts are known by a name; where one stands twice, by their number too."""

    def shape(values: Iterable[Document]) -> Tree:
        tree: dict[str, Tree] = {}
        for value in values:
            name, number = name_of(value), 2
            while f"[{name}]" in tree:
                name, number = f"{name_of(value)}#{number}", number + 1
            tree[f"[{name}]"] = _document(value)
        if ordered and tree:
            tree[ORDER] = list(tree)
        return tree

    return shape


def _name(value: FastPath | ApiKey) -> str:
    return value.name


def _guardrail(value: GuardrailUse) -> str:
    return value.use


def _sink(value: SinkUse) -> str:
    return value.use


def _interval(value: Reinforcement) -> str:
    return f"every {value.every}"


_SHAPES: Mapping[tuple[type[BaseModel], str], Shape] = {
    (Agent, "tools"): _members,
    (Agent, "fast_paths"): _named(_name),
    (Agent, "reinforcement"): _named(_interval),
    (ToolSelection, "steps"): _member_lists,
    (Guardrails, "input"): _named(_guardrail),
    (Guardrails, "tool_call"): _named(_guardrail),
    (Guardrails, "tool_result"): _named(_guardrail),
    (Guardrails, "output"): _named(_guardrail),
    (HttpCall, "not_found"): _members,
    (PythonCall, "refusals"): _members,
    (Idempotency, "key"): _sorted,
    (Loop, "key"): _sorted,
    (Auth, "keys"): _named(_name, ordered=False),
    (SecretRef, "default"): Secret,
    (Plugins, "required"): _members,
    (Plugins, "disable"): _members,
    (Settings, "sinks"): _named(_sink),
}
"""How keys are compared, where it is not part by part and in order."""


def _branches(tree: dict[str, Tree]) -> list[dict[str, Tree]]:
    return [branch for segment, branch in tree.items() if segment != ORDER]


def _settings_of(use: GuardrailUse, model: type[Document]) -> Tree:
    return _document(model.model_validate_json(to_json(use.with_), by_alias=True, by_name=False))


def _schema(value: Json, *, data: bool = False) -> Tree:
    if isinstance(value, dict):
        tree: dict[str, Tree] = {}
        for key, item in value.items():
            unordered = key in _UNORDERED and not data and isinstance(item, list)
            if unordered and (item or key != "required"):
                tree[_key(key)] = {f"[{_member(part)}]": _schema(part, data=True) for part in item}
            elif unordered:
                continue  # Nothing is required, as without the key.
            else:
                tree[_key(key)] = _schema(item, data=data or key in _DATA)
        return tree
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {f"[{index}]": _schema(item, data=data) for index, item in enumerate(value)}
    if isinstance(value, list):
        return [_schema(item, data=data) for item in value]
    return NULL if value is None else value


def _key(key: str) -> str:
    return key if _PLAIN.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _member(value: Json) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
