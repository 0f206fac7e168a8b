"""Jinja2 templates as configuration uses them: sandboxed, and strict about undefined names.

Templates are trusted configuration; a user's or a tool's text is only ever a value in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from interlock.memo import remembered

__all__ = [
    "TemplateFault",
    "attributes_of",
    "compile_template",
    "line_of",
    "new_environment",
    "render",
    "render_value",
    "undeclared",
]


_MOST_TIMES = 1000


class TemplateFault(Exception):
    """A template cannot be compiled or rendered. `line` counts from 1 inside the template."""

    def __init__(self, message: str, line: int = 1) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


class _Environment(ImmutableSandboxedEnvironment):
    """Reads `input.items` as the key `items` where there is one, not as the dict's method.

    Multiplies and raises nothing to what would take all memory, or for ever.
    """

    intercepted_binops = frozenset({"*", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and _is_more(right):
            raise ValueError(f"raised to a power beyond {_MOST_TIMES}")
        for value, times in ((left, right), (right, left)):
            if operator == "*" and isinstance(value, str | list | tuple) and _is_more(times):
                raise ValueError(f"repeated more than {_MOST_TIMES} times")
        return super().call_binop(context, operator, left, right)


def _is_more(times: Any) -> bool:
    return isinstance(times, int) and abs(times) > _MOST_TIMES


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


@contextmanager
def _compiling() -> Iterator[None]:
    try:
        yield
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax error", error.lineno) from error
    except (SyntaxError, ValueError, RecursionError) as error:
        # jinja2 makes Python of a template, and Python has limits of its own.
        raise TemplateFault(str(error)) from error


@contextmanager
def _rendering() -> Iterator[None]:
    try:
        yield
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        # Whatever the expressions of a template can raise with values of the wrong kind.
        message = str(error) or type(error).__name__
        raise TemplateFault(message, _line_of_error(error)) from error


def _line_of_error(error: Exception) -> int:
    """The line of the template that raised; jinja2 puts its own lines into the traceback."""
    line, frame = 1, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == "<template>":
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


@remembered
def compile_template(text: str) -> Template:
    """The compiled template. Raises `TemplateFault` with the line of a syntax error."""
    with _compiling():
        return _ENVIRONMENT.from_string(text)


@remembered
def undeclared(text: str) -> frozenset[str]:
    """The top-level names that a template takes from its context. Raises `TemplateFault`."""
    with _compiling():
        return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(text)))


def line_of(text: str, name: str, attribute: str | None = None) -> int:
    """The first line on which a template reads `name`, or that attribute of it.

    Raises `TemplateFault`.
    """
    with _compiling():
        tree = _ENVIRONMENT.parse(text)
    if attribute is None:
        found = tree.find_all(nodes.Name)
        return min((node.lineno for node in found if node.name == name), default=1)
    return min((line for line, read in _attributes(tree, name) if read == attribute), default=1)


def render(template: Template, context: Mapping[str, Any]) -> str:
    """The template's text. Raises `TemplateFault` for an undefined name or a forbidden access."""
    with _rendering():
        return template.render(context)


def render_value(text: str, context: Mapping[str, Any]) -> Any:
    """Like `render`, but a text that is one `{{ expression }}` keeps the expression's type."""
    stripped = text.strip()
    inner = stripped[2:-2].removeprefix("-").removesuffix("-")
    if stripped.startswith("{{") and stripped.endswith("}}") and "{{" not in inner:
        with _compiling():
            expression = _ENVIRONMENT.compile_expression(inner, undefined_to_none=False)
        with _rendering():
            value = expression(**context)
        if isinstance(value, StrictUndefined):
            raise TemplateFault(f"{inner.strip()} is undefined")
        return value
    return render(compile_template(text), context)


@remembered
def attributes_of(text: str, name: str) -> frozenset[str]:
    """The attributes that a template reads from `name`: `x` for `{{ name.x }}` or `name['x']`.

    Raises `TemplateFault`.
    """
    with _compiling():
        tree = _ENVIRONMENT.parse(text)
    return frozenset(attribute for _, attribute in _attributes(tree, name))


def _attributes(tree: nodes.Template, name: str) -> Iterator[tuple[int, str]]:
    """Every attribute that is read from `name`, with its line."""
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == name:
            yield node.lineno, node.attr
    for item in tree.find_all(nodes.Getitem):
        key = item.arg
        if not isinstance(item.node, nodes.Name) or item.node.name != name:
            continue
        if isinstance(key, nodes.Const) and isinstance(key.value, str):
            yield item.lineno, key.value
