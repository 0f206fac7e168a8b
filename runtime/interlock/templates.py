"""Jinja2 templates as configuration uses them: sandboxed, and strict about undefined names.

Templates are trusted configuration; a user's or a tool's text is only ever a value in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = [
    "TemplateFault",
    "attributes_of",
    "compile_template",
    "new_environment",
    "render",
    "render_value",
    "undeclared",
]


class TemplateFault(Exception):
    """A template cannot be compiled or rendered. `line` counts from 1 inside the template."""

    def __init__(self, message: str, line: int = 1) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


class _Environment(ImmutableSandboxedEnvironment):
    """Reads `input.items` as the key `items` where there is one, not as the dict's method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def new_environment(**options: Any) -> ImmutableSandboxedEnvironment:
    """An environment for templates whose output is not HTML."""
    return _Environment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


_ENVIRONMENT = new_environment()


def compile_template(text: str) -> Template:
    """The compiled template. Raises `TemplateFault` with the line of a syntax error."""
    try:
        return _ENVIRONMENT.from_string(text)
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax error", error.lineno) from error


def undeclared(text: str) -> frozenset[str]:
    """The top-level names that a template takes from its context. Raises `TemplateFault`."""
    try:
        return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(text)))
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax error", error.lineno) from error


def render(template: Template, context: Mapping[str, Any]) -> str:
    """The template's text. Raises `TemplateFault` for an undefined name or a forbidden access."""
    try:
        return template.render(context)
    except (UndefinedError, SecurityError, TypeError, ValueError, OverflowError) as error:
        raise TemplateFault(str(error)) from error


def render_value(text: str, context: Mapping[str, Any]) -> Any:
    """Like `render`, but a text that is one `{{ expression }}` keeps the expression's type."""
    stripped = text.strip()
    inner = stripped[2:-2]
    if stripped.startswith("{{") and stripped.endswith("}}") and "{{" not in inner:
        try:
            expression = _ENVIRONMENT.compile_expression(inner, undefined_to_none=False)
            value = expression(**context)
        except TemplateSyntaxError as error:
            raise TemplateFault(error.message or "syntax error", error.lineno) from error
        except (UndefinedError, SecurityError, TypeError, ValueError, OverflowError) as error:
            raise TemplateFault(str(error)) from error
        if isinstance(value, StrictUndefined):
            raise TemplateFault(f"{inner.strip()} is undefined")
        return value
    return render(compile_template(text), context)


def attributes_of(text: str, name: str) -> frozenset[str]:
    """The attributes that a template reads from `name`: `x` for `{{ name.x }}` or `name['x']`.

    Raises `TemplateFault`.
    """
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax error", error.lineno) from error
    found = set()
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == name:
            found.add(node.attr)
    for item in tree.find_all(nodes.Getitem):
        key = item.arg
        if isinstance(item.node, nodes.Name) and item.node.name == name:
            if isinstance(key, nodes.Const) and isinstance(key.value, str):
                found.add(key.value)
    return frozenset(found)
