"""The URL of an HTTP tool: its host is fixed, and an input can only fill the place it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Template, TemplateSyntaxError, Undefined, nodes
from jinja2.visitor import NodeTransformer

from interlock.memo import remembered
from interlock.model.base import JsonObject
from interlock.templates import TemplateFault, new_environment, render
from interlock.tools.field_template import InvalidInput, to_text

__all__ = ["UrlTemplate", "compile_url"]

_ORIGIN = re.compile(r"https?://[A-Za-z0-9._~%!$&'()*+,;=:@\[\]-]+(?=[/?]|$)")
_RESERVED = "%/:?[]@!$&'()*+,;=~"
"""What has a meaning in a URL and stays as it is; `#` is not sent to a server."""


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """A compiled URL."""

    origin: str
    """Scheme and authority, such as `https://shop.example:8443`."""
    _template: Template
    _env: Mapping[str, str]

    def render(self, input: JsonObject) -> str:
        """The URL, ready to be sent as it is. Raises `InvalidInput`."""
        try:
            text = render(self._template, {"input": input, "env": self._env})
        except TemplateFault as fault:
            raise InvalidInput(f"the URL cannot be built: {fault.message}") from fault
        url = quote(text.partition("#")[0].strip(), safe=_RESERVED)
        found = _ORIGIN.match(url)
        if found is None or found[0] != self.origin:
            raise InvalidInput("the input would send the request to another host")
        return url


def compile_url(text: str, env: Mapping[str, str]) -> UrlTemplate:
    """The compiled URL.

    An expression over `env` alone is inserted as it is. Every other value is percent-encoded as
    a whole; in the path it must also be a text or number that is not empty, `.` or `..`.

    Raises `TemplateFault` for a template that is not valid, and when scheme and host are not
    given by the text and `env`.
    """
    return _compile(text, tuple(sorted(env.items())))


@remembered
def _compile(text: str, items: tuple[tuple[str, str], ...]) -> UrlTemplate:
    env = dict(items)
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax error", error.lineno) from error
    for name in tree.find_all(nodes.Name):
        if name.name in ("input", "env") and name.ctx != "load":
            raise TemplateFault(f"'{name.name}' must not be assigned to", name.lineno)
    origin = _find_origin(tree, env)
    _EncodeValues().encode(tree)
    tree.set_environment(_ENVIRONMENT)
    return UrlTemplate(origin, _ENVIRONMENT.from_string(tree), env)


def _find_origin(tree: nodes.Template, env: Mapping[str, str]) -> str:
    """Scheme and authority, as they follow from what stands before the first input."""
    leading: list[nodes.Expr] = []
    whole = True
    parts = [part for node in tree.body for part in _parts(node)]
    for part in parts:
        if not isinstance(part, nodes.Expr) or not _is_trusted(part):
            whole = False
            break
        leading.append(part)
    prefix = nodes.Template([nodes.Output(leading, lineno=1)], lineno=1)
    prefix.set_environment(_ENVIRONMENT)
    text = render(_ENVIRONMENT.from_string(prefix), {"env": env})
    known = quote(text.partition("#")[0].strip(), safe=_RESERVED)
    found = _ORIGIN.match(known)
    if found is None or not _is_complete(found[0]):
        raise TemplateFault("must begin with http:// or https://, a host and perhaps a port")
    # Without a delimiter after it, the host would go on with what the input says.
    if not whole and found.end() == len(known):
        raise TemplateFault("the host must be followed by '/' before any input is used")
    return found[0]


def _is_complete(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _parts(node: nodes.Node) -> list[nodes.Node]:
    return list(node.nodes) if isinstance(node, nodes.Output) else [node]


def _is_trusted(expression: nodes.Expr) -> bool:
    """Whether the expression takes nothing but `env`."""
    return isinstance(expression, nodes.TemplateData) or _names(expression) <= {"env"}


def _names(expression: nodes.Expr) -> set[str]:
    own = {expression.name} if isinstance(expression, nodes.Name) else set()
    return own | {name.name for name in expression.find_all(nodes.Name)}


class _EncodeValues(NodeTransformer):
    """Puts a filter around every value that is inserted, by the part of the URL it stands in."""

    def __init__(self) -> None:
        self._filter = "url_path_value"

    def encode(self, tree: nodes.Template) -> None:
        for node in tree.body:
            self.visit(node)
            # Only a '?' that is always there ends the path; one inside a condition may not be.
            if any("?" in _fixed_text(part) for part in _parts(node)):
                self._filter = "url_query_value"

    def visit_Output(self, node: nodes.Output) -> nodes.Output:
        filter_name = self._filter
        wrapped: list[nodes.Expr] = []
        for part in node.nodes:
            if "?" in _fixed_text(part):
                filter_name = "url_query_value"
            if not _is_trusted(part):
                label = nodes.Const(_label(part), lineno=part.lineno)
                part = nodes.Filter(part, filter_name, [label], [], None, None, lineno=part.lineno)
            wrapped.append(part)
        node.nodes = wrapped
        return node


def _fixed_text(node: nodes.Node) -> str:
    return node.data if isinstance(node, nodes.TemplateData) else ""


def _label(expression: nodes.Expr) -> str:
    """What the value is called in a message: `input.x`, or what the expression is made of."""
    for node in (expression, *expression.find_all(nodes.Getattr)):
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            return f"{node.node.name}.{node.attr}"
    return ", ".join(sorted(_names(expression)))


def _encode_in_path(value: Any, label: str) -> str:
    usable = isinstance(value, str | int | float) and str(value) not in ("", ".", "..")
    if not usable and not isinstance(value, Undefined):
        raise InvalidInput(f"invalid value for {label}: it must name one thing in the URL's path")
    return _encode(value, label)


def _encode(value: Any, label: str) -> str:
    if isinstance(value, Undefined):
        raise InvalidInput(f"{label} is missing")
    try:
        return quote(to_text(value), safe="")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"invalid value for {label}: not valid Unicode text") from error


_ENVIRONMENT = new_environment()
_ENVIRONMENT.filters["url_path_value"] = _encode_in_path
_ENVIRONMENT.filters["url_query_value"] = _encode
