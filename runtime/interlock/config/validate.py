"""From YAML values to documents of ours, with each error at its place in the file."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json

from interlock.config.yaml import YamlDocument
from interlock.diagnostics import Diagnostic, nearest
from interlock.model.base import Document

__all__ = ["Loc", "document_path", "validate"]

D = TypeVar("D", bound=Document)
Loc = tuple[str | int, ...]

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
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


def validate(model: type[D], document: YamlDocument) -> tuple[D | None, list[Diagnostic]]:
    """The document as `model`, or all that is wrong with it."""
    if document.value is None:
        location = document.place(()).value
        return None, [Diagnostic("ILK-C003", "the document is empty", location)]
    try:
        # JSON mode is strict about types and still takes lists for tuples.
        return model.model_validate_json(to_json(document.value)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_diagnostic(model, document, detail) for detail in details]


def document_path(location: Loc) -> str:
    """A path inside a document as people write it: `fastPaths[0].match`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _diagnostic(model: type[Document], document: YamlDocument, detail: ErrorDetails) -> Diagnostic:
    location = _in_document(document, detail["loc"])
    where = document_path(location)
    place = document.place(location)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(model, document, location)
    if kind == "missing":
        name = str(detail["loc"][-1])
        parent = document_path(location[:-1]) if location and location[-1] == name else where
        whole = f"'{parent}'" if parent else "the document"
        at = document.place(location[:-1] if location and location[-1] == name else location)
        return Diagnostic(
            "ILK-C001", f"{whole} needs the key '{name}'", at.key, f"add '{name}:'", where=where
        )
    subject = where or "the document"
    got = _shown(_value(document.value, location))
    hint = None
    if kind in _KINDS:
        message = f"{subject} must be {_KINDS[kind]}, got {got}"
        if kind == "string_type" and isinstance(detail["input"], int | float | bool):
            hint = f'quote it: "{got}"'
    elif kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        message = f"{subject} must be {words} {context[key]}, got {got}"
    elif kind == "literal_error" or kind == "enum":
        message = f"{subject} must be {context['expected']}, got {got}"
        choices = [choice.strip(" '") for choice in _choices(context["expected"])]
        close = nearest(str(detail["input"]), choices)
        hint = f"did you mean '{close}'?" if close else None
    elif kind == "string_pattern_mismatch":
        message = f"{subject} must match {context['pattern']}, got {got}"
    elif kind == "too_short":
        message = f"{subject} needs at least {context['min_length']} item(s)"
    elif kind == "string_too_short":
        message = f"{subject} must not be empty"
    else:
        message = (
            f"{subject}: {detail['msg']}"
            if kind != "duration"
            else f"{subject} {detail['msg']}, got {got}"
        )
    at_key = location != detail["loc"] and not place.block
    return Diagnostic("ILK-C003", message, place.key if at_key else place.value, hint, where=where)


def _unknown_key(model: type[Document], document: YamlDocument, location: Loc) -> Diagnostic:
    name = str(location[-1])
    holder = _model_at(model, location[:-1])
    known = [field.alias or key for key, field in holder.model_fields.items()] if holder else []
    close = nearest(name, known)
    hint = f"did you mean '{close}'?" if close else f"known here: {', '.join(known)}"
    parent = document_path(location[:-1])
    message = f"unknown key '{name}'" + (f" in '{parent}'" if parent else "")
    place = document.place(location).key
    return Diagnostic("ILK-C002", message, place, hint, where=document_path(location))


def _in_document(document: YamlDocument, location: Loc) -> Loc:
    """pydantic's location without the union tags, which do not stand in the file."""
    result: Loc = ()
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        if (*result, part) in document.places:
            result = (*result, part)
        elif is_last and part not in ("text", "reference"):
            result = (*result, part)
    return result


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


def _choices(expected: str) -> list[str]:
    return expected.replace(" or ", ",").split(",")


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
