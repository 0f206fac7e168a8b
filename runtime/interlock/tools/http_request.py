"""From a tool's declaration and a call's input to the HTTP request that is sent. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from multidict import CIMultiDict

from interlock.errors import ToolDefinitionError
from interlock.model.base import JsonObject
from interlock.model.tool import HttpCall, Tool
from interlock.templates import TemplateFault, attributes_of
from interlock.tools.field_template import (
    ABSENT,
    FieldTemplate,
    InvalidInput,
    compile_field,
    to_text,
)
from interlock.tools.url_template import UrlTemplate, compile_url

__all__ = ["Request", "RequestTemplate", "compile_request", "env_names"]

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})
"""Headers that say where a request ends; the client alone may set them."""

_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent; the URL is encoded already."""

    method: str
    url: str
    headers: CIMultiDict[str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A tool's HTTP call, compiled."""

    method: str
    _url: UrlTemplate
    _query: Mapping[str, FieldTemplate]
    _headers: Mapping[str, FieldTemplate]
    _body: Mapping[str, FieldTemplate] | None
    _bound: frozenset[str]
    _key_header: str | None
    _env: Mapping[str, str]

    def render(self, input: JsonObject, *, idempotency_key: str | None = None) -> Request:
        """The request for one input. Raises `InvalidInput`, and then nothing may be sent.

        - A query parameter that renders to nothing is left out; so is a query parameter or body
          field that is one `{{ expression }}` over an optional input which is absent.
        - A header must have a value.
        - An input that `bind` supplies must have a value: without the customer's identity a
          parameter that is left out could widen the request to every customer.
        """
        for name in self._bound:
            if input.get(name) in (None, ""):
                raise InvalidInput(f"'{name}' has no value in this conversation")
        context = {"input": input, "env": self._env}
        query = self._render_query(context)
        url = self._url.render(input)
        if query:
            url += f"{'&' if '?' in url else '?'}{query}"
        headers = self._render_headers(context)
        if self._key_header is not None and idempotency_key is not None:
            headers[self._key_header] = _header_value(self._key_header, idempotency_key)
        body = self._render_body(input, context)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        return Request(self.method, url, headers, body)

    def _render_query(self, context: JsonObject) -> str:
        pairs = []
        for name, field in self._query.items():
            value = field.value(context)
            text = "" if value is ABSENT else _text(f"query parameter '{name}'", value)
            if text:
                pairs.append(f"{quote(name, safe='')}={_quote(name, text)}")
        return "&".join(pairs)

    def _render_headers(self, context: JsonObject) -> CIMultiDict[str]:
        headers = CIMultiDict({"Accept": "application/json"})
        for name, field in self._headers.items():
            value = field.value(context)
            text = "" if value is ABSENT else _text(f"header '{name}'", value)
            headers[name] = _header_value(name, text)
        return headers

    def _render_body(self, input: JsonObject, context: JsonObject) -> bytes | None:
        if self._body is not None:
            fields = {name: field.value(context) for name, field in self._body.items()}
            value = {name: item for name, item in fields.items() if item is not ABSENT}
        elif self.method in _METHODS_WITH_BODY:
            value = input
        else:
            return None
        try:
            return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"the body is not JSON: {error}") from error


def env_names(tool: Tool) -> frozenset[str]:
    """The environment variables that a tool's templates use. Raises `TemplateFault`."""
    if tool.http is None:
        return frozenset()
    texts = (text for _, text in _texts(tool.http))
    return frozenset().union(*(attributes_of(text, "env") for text in texts))


def compile_request(tool: Tool, http: HttpCall, env: Mapping[str, str]) -> RequestTemplate:
    """A tool's call, ready to be rendered; of `env` only the names that it uses are kept.

    Raises `ToolDefinitionError` naming the key that is wrong.
    """
    for key, text in _texts(http):
        try:
            missing = sorted(attributes_of(text, "env") - env.keys())
        except TemplateFault as fault:
            raise ToolDefinitionError(tool.name, key, fault.message) from fault
        if missing:
            problem = f"the environment variable {missing[0]} is not set; set it and start again"
            raise ToolDefinitionError(tool.name, key, problem)
    used = {name: env[name] for name in env_names(tool)}
    key_header = tool.idempotency.header if tool.idempotency is not None else None
    for name in (*http.headers, *((key_header,) if key_header else ())):
        if not _TOKEN.fullmatch(name) or name.lower() in _FRAMING:
            problem = "this header cannot be set by a tool; remove it or correct its name"
            raise ToolDefinitionError(tool.name, f"http.headers.{name}", problem)
    try:
        url = compile_url(http.url, used)
    except TemplateFault as fault:
        raise ToolDefinitionError(tool.name, "http.url", fault.message) from fault
    return RequestTemplate(
        method=http.method,
        _url=url,
        _query=_compile_fields(tool.name, "query", http.query),
        _headers=_compile_fields(tool.name, "headers", http.headers),
        _body=None if http.body is None else _compile_fields(tool.name, "body", http.body),
        _bound=frozenset(tool.bind),
        _key_header=key_header,
        _env=used,
    )


def _texts(http: HttpCall) -> list[tuple[str, str]]:
    """Every template of the call with its key."""
    texts = [("http.url", http.url)]
    for part, fields in (("query", http.query), ("headers", http.headers), ("body", http.body)):
        texts += [(f"http.{part}.{name}", text) for name, text in (fields or {}).items()]
    return texts


def _compile_fields(tool: str, part: str, fields: Mapping[str, str]) -> Mapping[str, FieldTemplate]:
    compiled = {}
    for name, text in fields.items():
        try:
            compiled[name] = compile_field(text)
        except TemplateFault as fault:
            raise ToolDefinitionError(tool, f"http.{part}.{name}", fault.message) from fault
    return compiled


def _text(place: str, value: object) -> str:
    try:
        return to_text(value)
    except TypeError as error:
        raise InvalidInput(f"{place} is neither a text nor JSON: {error}") from error


def _quote(name: str, text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"query parameter '{name}' is not valid Unicode text") from error


def _header_value(name: str, text: str) -> str:
    value = text.strip(" \t")
    if not value:
        raise InvalidInput(f"header '{name}' has no value")
    if _CONTROL.search(value):
        raise InvalidInput(f"invalid value for header '{name}': it holds control characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"header '{name}' is not valid Unicode text") from error
    return value
