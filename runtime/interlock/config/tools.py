"""Checks on one tool that its own shape cannot express."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic_core import from_json, to_json
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from interlock.config.placed import Placed
from interlock.config.validate import Loc
from interlock.diagnostics import nearest
from interlock.memo import remembered
from interlock.model.base import Json
from interlock.model.tool import Tool
from interlock.templates import attributes_of

__all__ = ["check_tool", "schema_fault"]

_HTTP_NAMES = frozenset({"input", "env"})
_TYPES = "string, number, integer, boolean, array, object, null"
_BIND_NAMES = frozenset({"session"})
_APPROVAL_NAMES = frozenset({"input", "session"})


def check_tool(placed: Placed[Tool], environment: Mapping[str, str] | None) -> None:
    """Reports bad schemas, templates, expressions, and inputs that do not exist.

    Without an `environment`, as interlock.yaml is broken, variables are not checked.
    """
    tool = placed.model
    _check_schema(placed)
    properties = tool.input.get("properties")
    known = {*(properties if isinstance(properties, dict) else ()), *tool.bind}
    for name, text in tool.bind.items():
        placed.check_template(text, ("bind", name), names=_BIND_NAMES)
        if isinstance(properties, dict) and name in properties:
            placed.report(
                "ILK-C011",
                f"'{name}' is bound by the runtime, so the model must not be offered it",
                ("input", "properties", name),
                hint="remove it from input.properties",
            )
    _check_http(placed, known, environment)
    if tool.result.select is not None:
        try:
            jmespath.compile(tool.result.select)
        except (JMESPathError, RecursionError) as error:
            first = str(error).splitlines()[0].rstrip(":")
            first = first.removeprefix("Invalid jmespath expression: ")
            placed.report("ILK-C010", f"not a JMESPath expression: {first}", ("result", "select"))
    if tool.idempotency is not None:
        _check_inputs(placed, tool.idempotency.key, ("idempotency", "key"), known)
    if tool.approval is not None:
        at: Loc = ("approval", "when")
        if placed.check_template(tool.approval.when, at, names=_APPROVAL_NAMES):
            read = sorted(attributes_of(tool.approval.when, "input"))
            _check_inputs(placed, read, at, known, exact=False)
    _check_inputs(placed, tool.loop.key, ("loop", "key"), known)


def _check_schema(placed: Placed[Tool]) -> None:
    schema = placed.model.input
    fault = schema_fault(schema)
    if fault is not None:
        message, where = fault
        hint = f"a type is one of {_TYPES}" if where[-1:] == ("type",) else None
        message = f"not a valid JSON Schema: {message}"
        placed.report("ILK-C009", message, ("input", *where), hint=hint)
        return
    if schema.get("type") != "object":
        placed.report("ILK-C009", "the input must be of 'type: object'", ("input",))
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for path, reference in _references(schema, ("input",)):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            placed.report(
                "ILK-C009",
                f"'{reference}' points to nothing in the schema",
                path,
                hint="write the schema out, or declare it in $defs",
            )


def schema_fault(schema: Json) -> tuple[str, Loc] | None:
    """What is wrong with a JSON Schema, and where; None if nothing is."""
    return _schema_fault(to_json(schema))


@remembered
def _schema_fault(schema: bytes) -> tuple[str, Loc] | None:
    """What is wrong with a JSON Schema, and where."""
    try:
        Draft202012Validator.check_schema(from_json(schema))
    except SchemaError as error:
        return error.message, tuple(error.absolute_path)
    except (OverflowError, RecursionError) as error:
        # From the regular expression of a `pattern`.
        return str(error), ()
    return None


def _references(value: Any, at: Loc) -> list[tuple[Loc, str]]:
    if isinstance(value, dict):
        found = [((*at, "$ref"), value["$ref"])] if isinstance(value.get("$ref"), str) else []
        return found + [hit for key, item in value.items() for hit in _references(item, (*at, key))]
    if isinstance(value, list):
        return [hit for index, item in enumerate(value) for hit in _references(item, (*at, index))]
    return []


def _check_http(
    placed: Placed[Tool], known: set[str], environment: Mapping[str, str] | None
) -> None:
    http = placed.model.http
    if http is None:
        return
    texts: list[tuple[Loc, str]] = [(("http", "url"), http.url)]
    for part, mapping in (("query", http.query), ("headers", http.headers), ("body", http.body)):
        texts += [(("http", part, key), text) for key, text in (mapping or {}).items()]
    for location, text in texts:
        if not placed.check_template(text, location, names=_HTTP_NAMES):
            continue
        _check_inputs(placed, sorted(attributes_of(text, "input")), location, known, exact=False)
        if environment is None:
            continue
        for name in sorted(attributes_of(text, "env") - environment.keys()):
            placed.report(
                "ILK-C013",
                f"the environment variable {name} is not set",
                location,
                hint=f"set {name}, or give it a value under environment: in interlock.yaml",
                word=f"env.{name}",
            )


def _check_inputs(
    placed: Placed[Tool],
    names: tuple[str, ...] | list[str],
    location: Loc,
    known: set[str],
    *,
    exact: bool = True,
) -> None:
    for index, name in enumerate(names):
        if name not in known:
            close = nearest(name, known)
            placed.report(
                "ILK-C008",
                f"the tool has no input '{name}'",
                (*location, index) if exact else location,
                hint=f"did you mean '{close}'?" if close else "declare it in input.properties",
                word="" if exact else f"input.{name}",
            )
