"""From YAML values to documents of ours, with each error at its place in the file."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json

from interlock.config.yaml import YamlDocument
from interlock.diagnostics import Diagnostic, nearest
from interlock.model.base import Document, EnvRef, SecretRef

__all__ = ["Loc", "document_path", "explain", "validate"]

D = TypeVar("D", bound=Document)
Loc = tuple[str | int, ...]

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_REFERENCES: Mapping[str, tuple[str, str]] = {
    EnvRef.__name__: ("{env: NAME}", "an environment variable"),
    SecretRef.__name__: ("{env: NAME} or {file: PATH}", "an environment variable or a file"),
}
_MEANINGS: Mapping[str, str] = {
    r"^[a-zA-Z][a-zA-Z0-9_-]{0,63}$": "be a letter, then letters, digits, _ and -, 64 at most",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "be a name of letters, digits and _",
    r"^[A-Za-z0-9-]+$": "be a name of letters, digits and -",
    r"^[0-9a-f]{64}$": "be the 64 digits that `interlock key` prints",
    r"^[a-zA-Z][a-zA-Z0-9_-]{0,63}(>=[0-9]{1,9}(\.[0-9]{1,9}){0,5})?$": (
        "be a plugin's name, or NAME>=VERSION"
    ),
    r"^[\w./-]+:[A-Za-z_]\w*$": "be plugins/FILE.py:FUNCTION or package.module:FUNCTION",
}
"""What the patterns of our models ask for, in words."""

_OF_A_KEY = "[key]"
"""What pydantic puts last in the location of an error in a key instead of its value."""


def validate(model: type[D], document: YamlDocument) -> tuple[D | None, list[Diagnostic]]:
    """The document as `model`, or all that is wrong with it."""
    try:
        # JSON mode is strict about types and still takes lists for tuples.
        value = model.model_validate_json(to_json(document.value), by_alias=True, by_name=False)
    except ValidationError as error:
        return None, explain(model, document, error)
    return value, []


def explain(
    model: type[Document], document: YamlDocument, error: ValidationError, *, at: Loc = ()
) -> list[Diagnostic]:
    """What is wrong with the part of the document that stands at `at`, one finding a place."""
    details: dict[tuple[Loc, bool], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        of_a_key = detail["loc"][-1:] == (_OF_A_KEY,)
        location = _in_document(document, at, detail["loc"], detail["type"])
        details.setdefault((location, of_a_key), []).append(detail)
    return [
        _of_a_key(document, location, same[0])
        if of_a_key
        else _diagnostic(model, document, location, same, at)
        for (location, of_a_key), same in details.items()
    ]


def document_path(location: Loc) -> str:
    """A path inside a document as people write it: `fastPaths[0].match`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _diagnostic(
    model: type[Document],
    document: YamlDocument,
    location: Loc,
    same: list[ErrorDetails],
    at: Loc,
) -> Diagnostic:
    """The finding for the errors at one place; there are several where several types would do."""
    detail = same[0]
    where = document_path(location)
    place = document.place(location)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(model, document, location, at)
    if kind == "missing":
        parent = document_path(location[:-1])
        whole = f"'{parent}'" if parent else "the document"
        message = f"{whole} needs the key '{location[-1]}'"
        at_key = document.place(location[:-1]).key
        return Diagnostic("ILK-C001", message, at_key, f"add '{location[-1]}:'", where=where)
    subject = where or "the document"
    value = _value(document.value, location)
    got = _shown(value)
    hint: str | None = None
    if context.get("class_name") in _REFERENCES and detail["loc"][-1] != "reference":
        # What stands there is likely a secret, and findings are shown and logged.
        forms, places = _REFERENCES[context["class_name"]]
        message = f"{subject} must be a mapping such as {forms}"
        hint = f"put the value into {places}"
    elif kind in _KINDS:
        message = f"{subject} must be {_wanted(same)}, got {got}"
        hint = _quoting_hint(kind, value)
    elif kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        message = f"{subject} must be {words} {context[key]}, got {got}"
    elif kind == "literal_error":
        message = f"{subject} must be {context['expected']}, got {got}"
        hint = _meant(value, context["expected"])
    elif kind == "string_pattern_mismatch":
        message = f"{subject} must {_meaning(context['pattern'])}, got {got}"
    elif kind == "too_short":
        message = f"{subject} needs at least {context['min_length']} item(s)"
    elif kind == "string_too_short":
        message = f"{subject} must not be empty"
    elif kind in ("duration", "quantity"):
        message = f"{subject} {detail['msg']}, got {got}"
    else:
        message = f"{subject}: {detail['msg']}"
    return Diagnostic("ILK-C003", message, place.value, hint, where=where)


def _of_a_key(document: YamlDocument, location: Loc, detail: ErrorDetails) -> Diagnostic:
    name, context = str(location[-1]), detail.get("ctx", {})
    parent = document_path(location[:-1])
    hint = None
    if detail["type"] == "literal_error":
        wanted, hint = f"be {context['expected']}", _meant(name, context["expected"])
    else:
        wanted = _meaning(context["pattern"])
    message = f"a key of {parent} must {wanted}, got {name}"
    place = document.place(location).key
    return Diagnostic("ILK-C003", message, place, hint, where=document_path(location))


def _meaning(pattern: str) -> str:
    return _MEANINGS.get(pattern, f"match {pattern}")


def _unknown_key(
    model: type[Document], document: YamlDocument, location: Loc, at: Loc
) -> Diagnostic:
    name = str(location[-1])
    holder = _model_at(model, location[len(at) : -1])
    known = [field.alias or key for key, field in holder.model_fields.items()] if holder else []
    close = nearest(name, known)
    hint = f"did you mean '{close}'?" if close else f"known here: {', '.join(known)}"
    parent = document_path(location[:-1])
    message = f"unknown key '{name}'" + (f" in '{parent}'" if parent else "")
    place = document.place(location).key
    return Diagnostic("ILK-C002", message, place, hint, where=document_path(location))


def _in_document(document: YamlDocument, at: Loc, location: Loc, kind: str) -> Loc:
    """pydantic's location without what does not stand in the file, such as union members."""
    result = at
    for part in location:
        if (*result, part) in document.places:
            result = (*result, part)
    return (*result, location[-1]) if kind == "missing" else result


def _wanted(same: Iterable[ErrorDetails]) -> str:
    # A text that may also stand elsewhere: the union's tag says which form was tried.
    kinds = [
        "a text or a mapping" if detail["loc"][-1:] == ("reference",) else _KINDS[detail["type"]]
        for detail in same
        if detail["type"] in _KINDS
    ]
    *others, last = dict.fromkeys(kinds)
    return f"{', '.join(others)} or {last}" if others else last


def _quoting_hint(kind: str, value: Any) -> str | None:
    if kind == "string_type" and isinstance(value, int | float | bool):
        return f'quote it: "{_shown(value)}"'
    if kind in ("int_type", "float_type", "bool_type") and isinstance(value, str):
        plain = value.removeprefix("-").replace(".", "", 1)
        if plain.isdecimal() or value in ("true", "false"):
            return f"write it without quotes: {value}"
    return None


def _meant(value: Any, expected: str) -> str | None:
    choices = [choice.strip(" '") for choice in expected.replace(" or ", ",").split(",")]
    close = nearest(str(value), choices)
    return f"did you mean '{close}'?" if close else None


def _value(value: Any, location: Loc) -> Any:
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = (
        "nothing"
        if value is None
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return text if len(text) <= 60 else text[:57] + "..."


def _model_at(model: type[BaseModel], location: Loc) -> type[BaseModel] | None:
    """The document class that stands at `location`, found by walking the annotations."""
    annotation: Any = model
    for part in location:
        holder = _first(annotation, lambda kind: issubclass(kind, BaseModel))
        if holder is not None:
            fields = holder.model_fields.values()
            annotation = next((f.annotation for f in fields if f.alias == part), None)
        else:
            arguments = get_args(_unwrap(annotation))
            annotation = arguments[-1 if isinstance(part, str) else 0] if arguments else None
    return _first(annotation, lambda kind: issubclass(kind, BaseModel))


def _unwrap(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _first(annotation: Any, accept: Callable[[type], bool]) -> type[BaseModel] | None:
    annotation = _unwrap(annotation)
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if accept(annotation) else None
    if get_origin(annotation) in (Union, types.UnionType):
        found = (_first(argument, accept) for argument in get_args(annotation))
        return next((kind for kind in found if kind is not None), None)
    return None
