"""What the settings of a guardrail can say about themselves, so that `interlock check` knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Field

from interlock.model.base import Document, JsonObject

__all__ = [
    "GuardrailSettings",
    "GuardrailStage",
    "JsonSchema",
    "Predicate",
    "Regex",
    "RegexMark",
    "SchemaMark",
    "TemplateMark",
    "ToolGlob",
    "ToolMark",
    "marked",
]

GuardrailStage = Literal["input", "toolCall", "toolResult", "output"]
"""A place for guardrails, as YAML names it."""


@dataclass(frozen=True, slots=True)
class RegexMark:
    """The text is a regular expression that texts from outside are searched with."""


@dataclass(frozen=True, slots=True)
class TemplateMark:
    """The text is one Jinja2 expression over these names."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class SchemaMark:
    """The value is a JSON Schema."""


@dataclass(frozen=True, slots=True)
class ToolMark:
    """The text names tools of the agent; `*` stands for any letters."""


Regex = Annotated[str, Field(min_length=1, examples=[r"ORD-\d+"]), RegexMark()]
"""A regular expression in the settings of a guardrail."""

Predicate = Annotated[
    str,
    Field(pattern=r"^\{\{.+\}\}$", examples=["{{ input.amount > 100 }}"]),
    TemplateMark(frozenset({"input", "session"})),
]
"""A condition over a tool's input and the session's claims."""

JsonSchema = Annotated[JsonObject, SchemaMark()]
"""A JSON Schema in the settings of a guardrail."""

ToolGlob = Annotated[str, Field(min_length=1, examples=["create_return"]), ToolMark()]
"""The name of a tool, or of several with `*`."""


class GuardrailSettings(Document):
    """The base of settings that know where their guardrail makes sense."""

    stages: ClassVar[tuple[GuardrailStage, ...]] = ("input", "toolCall", "toolResult", "output")


M = TypeVar("M", RegexMark, TemplateMark, SchemaMark, ToolMark)


def marked(settings: BaseModel, kind: type[M]) -> Iterator[tuple[M, Any, tuple[str | int, ...]]]:
    """Every value in the settings with a mark of that kind, with its path as in YAML."""
    for mark, value, path in _of_model(settings, ()):
        if isinstance(mark, kind):
            yield mark, value, path


_Found = tuple[Any, Any, tuple[str | int, ...]]


def _of_model(model: BaseModel, at: tuple[str | int, ...]) -> Iterator[_Found]:
    for name, field in type(model).model_fields.items():
        value, path = getattr(model, name), (*at, field.alias or name)
        if value is not None:
            for mark in field.metadata:
                yield mark, value, path
            yield from _of_value(field.annotation, value, path)


def _of_value(annotation: Any, value: Any, at: tuple[str | int, ...]) -> Iterator[_Found]:
    if isinstance(value, BaseModel):
        yield from _of_model(value, at)
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for mark in arguments[1:]:
            yield mark, value, at
        yield from _of_value(arguments[0], value, at)
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from _of_value(argument, value, at)
    elif isinstance(value, dict) and len(arguments) == 2:
        for key, item in value.items():
            yield from _of_value(arguments[1], item, (*at, key))
    elif isinstance(value, tuple) and arguments:
        for index, item in enumerate(value):
            yield from _of_value(arguments[0], item, (*at, index))
