"""One query parameter, header or body field of an HTTP tool: a text or a value from the input."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError

from interlock.memo import remembered
from interlock.templates import TemplateFault, new_environment, render

__all__ = ["ABSENT", "FieldTemplate", "InvalidInput", "compile_field", "to_text"]


class InvalidInput(Exception):
    """The input cannot be made into a request, so none is sent. The model reads the message."""


class Absent:
    """The type of `ABSENT`."""


ABSENT = Absent()
"""The value of a field that needs an optional input which the call does not have."""


@dataclass(frozen=True, slots=True)
class FieldTemplate:
    """A compiled field."""

    _evaluate: Callable[[Mapping[str, Any]], Any]

    def value(self, context: Mapping[str, Any]) -> Any:
        """The field's value; `ABSENT` when there is none.

        A field that is a single `{{ expression }}` keeps the expression's type, and is absent
        when the expression is undefined: when it needs an optional input that was left out.
        Any other field is a text, and there an undefined input raises `InvalidInput`.
        """
        return self._evaluate(context)


@remembered
def compile_field(text: str) -> FieldTemplate:
    """The compiled field. Raises `TemplateFault`."""
    try:
        tree = _ENVIRONMENT.parse(text.strip())
        if _is_expression(tree):
            return _compile_expression(text.strip()[2:-2])
        template = _ENVIRONMENT.from_string(text)
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax error", error.lineno) from error

    def evaluate(context: Mapping[str, Any]) -> str:
        try:
            return render(template, context)
        except TemplateFault as fault:
            raise InvalidInput(fault.message) from fault

    return FieldTemplate(evaluate)


def to_text(value: Any) -> str:
    """A value as text: true and false as in JSON, nothing for null, lists and objects as JSON.

    Raises `UndefinedError` for an undefined value and `TypeError` for one that is not JSON.
    """
    if isinstance(value, str | Undefined):
        return str(value)
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_expression(tree: nodes.Template) -> bool:
    if len(tree.body) != 1 or not isinstance(output := tree.body[0], nodes.Output):
        return False
    return len(output.nodes) == 1 and not isinstance(output.nodes[0], nodes.TemplateData)


def _compile_expression(source: str) -> FieldTemplate:
    # The marks of `{{- x -}}` are about the space around it, of which there is none.
    bare = source.removeprefix("-").removesuffix("-")
    expression = _ENVIRONMENT.compile_expression(bare, undefined_to_none=False)

    def evaluate(context: Mapping[str, Any]) -> Any:
        try:
            value = expression(context)
        except UndefinedError:
            return ABSENT
        except (SecurityError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(str(error)) from error
        return ABSENT if isinstance(value, Undefined) else value

    return FieldTemplate(evaluate)


_ENVIRONMENT = new_environment(finalize=to_text)
