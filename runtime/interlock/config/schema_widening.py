"""Whether a change of a tool's input schema lets inputs pass that did not pass before."""

from __future__ import annotations

from interlock.config.diff_tree import Tree

__all__ = ["loosens"]

_ANNOTATIONS = frozenset({"$comment", "default", "deprecated", "description", "examples", "title"})
_ASSERTIONS = frozenset(
    {
        "const",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maximum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "minimum",
        "minItems",
        "minLength",
        "minProperties",
        "multipleOf",
        "pattern",
        "required",
        "type",
        "uniqueItems",
    }
)
"""Keywords that only ever forbid, whatever stands beside them."""
_UPPER = frozenset({"exclusiveMaximum", "maximum", "maxItems", "maxLength", "maxProperties"})
_LOWER = frozenset({"exclusiveMinimum", "minimum", "minItems", "minLength", "minProperties"})
_FAR_REACHING = frozenset(
    {"$dynamicRef", "$recursiveRef", "$ref", "unevaluatedItems", "unevaluatedProperties"}
)
"""With these, what a part means depends on other parts of the schema."""


def loosens(before: Tree, after: Tree, path: tuple[str, ...]) -> bool:
    """Whether the difference at `path` may let more inputs pass; False only where it cannot.

    `before` and `after` are the trees of the whole schemas. A schema is a conjunction of its
    keywords, and of those of the properties and items in it. So one that is changed only in ways
    that forbid more passes nothing new; every way of which that is not plain counts as loosening.
    """
    position = _position(path)
    if position is None:
        return True
    schema, keyword, member = position
    if keyword in _ANNOTATIONS:
        return False
    if _is_far_reaching(before) or _is_far_reaching(after):
        return True
    old, new = _at(before, path), _at(after, path)
    match keyword:
        case "additionalProperties":
            return new is not False
        case "properties":
            parent_before, parent_after = _at(before, schema), _at(after, schema)
            if new is None:
                return not _is_closed(parent_after)
            return old is not None or not _is_open(parent_before)
        case "required":
            # Also for the list as a whole: what is added forbids, what is removed allows.
            return new is None
        case "enum" | "type" if member is not None:
            return new is not None
    if keyword in _ASSERTIONS and old is None:
        return False
    if _is_number(old) and _is_number(new):
        if keyword in _UPPER:
            return bool(new > old)
        if keyword in _LOWER:
            return bool(new < old)
    return True


def _position(path: tuple[str, ...]) -> tuple[tuple[str, ...], str, str | None] | None:
    """The path of the schema that the path leads into, its keyword, and the member of that.

    None where it leads through anything but properties, items and additional properties.
    """
    schema: tuple[str, ...] = ()
    rest = path
    while rest:
        match rest:
            case ("properties", name, *deeper) if deeper:
                schema, rest = (*schema, "properties", name), tuple(deeper)
            case ("items" | "additionalProperties" as keyword, *deeper) if deeper:
                schema, rest = (*schema, keyword), tuple(deeper)
            case ("properties", _) | (_,):
                return schema, rest[0], None
            case ("enum" | "type" | "required", member):
                return schema, rest[0], member
            case (keyword, *_) if keyword in _ANNOTATIONS:
                return schema, keyword, None
            case _:
                return None
    return None


def _at(tree: Tree, path: tuple[str, ...]) -> Tree:
    for segment in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(segment)
    return tree


def _is_closed(schema: Tree) -> bool:
    """Whether a property that is not declared is forbidden."""
    return (
        isinstance(schema, dict)
        and schema.get("additionalProperties") is False
        and "patternProperties" not in schema
    )


def _is_open(schema: Tree) -> bool:
    """Whether a property that is not declared may be anything."""
    return isinstance(schema, dict) and not (
        schema.keys() & {"additionalProperties", "patternProperties"}
    )


def _is_far_reaching(tree: Tree) -> bool:
    if isinstance(tree, list):
        return any(_is_far_reaching(item) for item in tree)
    if not isinstance(tree, dict):
        return False
    return bool(tree.keys() & _FAR_REACHING) or any(map(_is_far_reaching, tree.values()))


def _is_number(value: Tree) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
