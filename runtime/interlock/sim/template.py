"""Templates in replies, compiled once.

A text that is one `{{ expression }}` keeps the expression's type, so that a tool's input can hold
numbers and lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from interlock.model.base import Json
from interlock.templates import TemplateFault, undeclared

__all__ = ["CONTEXT_NAMES", "Render", "check_template", "compile_text", "compile_value"]

Render = Callable[[Mapping[str, Any]], Any]
"""From the template context to the value. Raises `TemplateFault`."""

CONTEXT_NAMES = ("match", "user", "result", "results", "called", "request", "tools", "random")
"""What templates may use: see `matching.Facts.context`."""

_FAILURES = (UndefinedError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError)


class _Environment(ImmutableSandboxedEnvironment):
    """Reads `data.items` as the key `items` where there is one, not as the dict's method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_ENVIRONMENT = _Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)


def check_template(text: str, groups: frozenset[str]) -> None:
    """Raises `TemplateFault`: bad syntax, an unknown name, or a group that is not in `groups`."""
    unknown = sorted(undeclared(text) - set(CONTEXT_NAMES))
    if unknown:
        known = ", ".join(CONTEXT_NAMES)
        raise TemplateFault(f"the template uses the unknown name '{unknown[0]}'; known: {known}")
    for node in _ENVIRONMENT.parse(text).find_all(nodes.Getattr):
        is_match = isinstance(node.node, nodes.Name) and node.node.name == "match"
        if is_match and node.attr not in groups:
            known = f"has {', '.join(sorted(groups))}" if groups else "has no named group"
            raise TemplateFault(
                f"the template uses match.{node.attr}, but the rule's user or text {known}",
                node.lineno,
            )


def compile_text(text: str) -> Render:
    """What renders the template to text."""
    if "{" not in text:
        return lambda context: text
    try:
        template = _ENVIRONMENT.from_string(text)
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax error", error.lineno) from error

    def render(context: Mapping[str, Any]) -> str:
        try:
            return template.render(context)
        except _FAILURES as error:
            raise TemplateFault(str(error)) from error

    return render


def compile_value(value: Json) -> Render:
    """What renders a JSON value whose strings are templates; keys are not."""
    if isinstance(value, str):
        return _compile_expression(value) or compile_text(value)
    if isinstance(value, dict):
        fields = {key: compile_value(item) for key, item in value.items()}
        return lambda context: {key: render(context) for key, render in fields.items()}
    if isinstance(value, list):
        items = [compile_value(item) for item in value]
        return lambda context: [render(context) for render in items]
    return lambda context: value


def _compile_expression(text: str) -> Render | None:
    stripped = text.strip()
    if not (stripped.startswith("{{") and stripped.endswith("}}")):
        return None
    try:
        expression = _ENVIRONMENT.compile_expression(stripped[2:-2], undefined_to_none=False)
    except TemplateSyntaxError:
        # More than one expression, or a fault: as a text it renders or tells what is wrong.
        return None

    def evaluate(context: Mapping[str, Any]) -> Any:
        try:
            value = expression(**context)
            # Turning a strict undefined value into text raises and says what is undefined.
            return str(value) if isinstance(value, Undefined) else value
        except _FAILURES as error:
            raise TemplateFault(str(error)) from error

    return evaluate
