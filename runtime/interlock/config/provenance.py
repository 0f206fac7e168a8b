"""Where the values of a configuration come from: a line of a file, or a default of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from interlock.config.diff_text import without_secrets
from interlock.config.placed import Placed
from interlock.config.schema import duration_text
from interlock.config.validate import Loc, document_path
from interlock.config.yaml import YamlDocument
from interlock.diagnostics import Location, nearest
from interlock.errors import InterlockError
from interlock.model.agent import GuardrailUse
from interlock.model.base import Document, Json, JsonObject, Quantity

__all__ = ["Origin", "UnknownPath", "origin_of"]

_SEGMENT = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_FOLDERS = ("agents", "tools")

Guardrails = Mapping[str, type[Document]]


class UnknownPath(InterlockError):
    """The configuration has nothing at that path."""

    code = "unknown_path"


@dataclass(frozen=True, slots=True)
class Origin:
    """A value and where it comes from."""

    path: str
    """`agents.support.limits.maxTokens`."""
    value: Json
    """As in YAML, without what may be a secret."""
    location: Location
    """Where it stands; of a default, where the mapping begins that it could be written into."""
    default: str | None
    """The key whose default it is, such as `Limits.maxTokens`; None if it is written down."""
    under: str
    """Of a default: the path of that mapping in its document, empty for the whole document."""
    missing: str
    """Of a default: the path from there to the value."""
    about: str | None
    """What the key means."""
    children: tuple[Origin, ...] = ()
    """The parts of a mapping or a list, without theirs."""

    def to_json(self) -> JsonObject:
        """The same for other programs."""
        return {
            "path": self.path,
            "value": self.value,
            "file": self.location.path,
            "line": self.location.line,
            "column": self.location.column,
            "default": self.default,
            "under": self.under if self.default is not None else None,
            "missing": self.missing if self.default is not None else None,
            "about": self.about,
            "children": [child.to_json() for child in self.children],
        }


def origin_of(
    documents: Mapping[str, Placed[Any]],
    path: str,
    *,
    guardrails: Guardrails = MappingProxyType({}),
) -> Origin:
    """What stands at `path`, and its parts.

    Args:
        documents: `Loaded.documents`.
        path: `agents.NAME.KEY`, `tools.NAME.KEY`, or a key of interlock.yaml such as
            `server.port`. Parts of lists are `[0]` or `[NAME]`, as in `fastPaths[status]`.
        guardrails: the settings of every guardrail that can be used, by name.

    Raises:
        UnknownPath: with the nearest path that there is.
    """
    segments: Sequence[str] = [index or word for index, word in _SEGMENT.findall(path)]
    if segments and segments[0] == "settings":
        segments = segments[1:]
    if segments and segments[0] in _FOLDERS:
        folder = segments[0]
        names = _names(documents, folder)
        if len(segments) == 1:
            return _folder(documents, folder, names)
        if segments[1] not in names:
            raise _unknown(path, segments[1], names, prefix=f"{folder}.")
        node, rest = _Node.root(documents, f"{folder}.{segments[1]}", guardrails), segments[2:]
    else:
        if "settings" not in documents:
            raise UnknownPath(f"'{path}' is unknown, as interlock.yaml cannot be read")
        node, rest = _Node.root(documents, "settings", guardrails), segments
    while rest:
        node, rest = node.step(rest, path)
    return node.origin(with_children=True)


@dataclass(frozen=True, slots=True)
class _Node:
    """One value with its place in a document."""

    document: YamlDocument
    prefix: str
    """The path of the document: `agents.support`, or nothing for interlock.yaml."""
    at: Loc
    value: Any
    owner: str
    """The nearest key of a model of ours, such as `Limits.maxTokens`."""
    about: str | None
    guardrails: Guardrails

    @classmethod
    def root(cls, documents: Mapping[str, Placed[Any]], name: str, guardrails: Guardrails) -> _Node:
        placed = documents[name]
        model = placed.model
        about = type(model).__doc__
        prefix = "" if name == "settings" else name
        return cls(placed.document, prefix, (), model, type(model).__name__, about, guardrails)

    @property
    def path(self) -> str:
        inside = document_path(self.at)
        if not self.prefix or not inside:
            return self.prefix or inside
        return f"{self.prefix}.{inside}"

    def parts(self) -> list[_Node]:
        """The parts of a document, a mapping or a list; a single value has none."""
        match self.value:
            case BaseModel() as model:
                return [self._key(model, name) for name in type(model).model_fields]
            case Mapping():
                return [self._part(key, item) for key, item in self.value.items()]
            case list() | tuple():
                return [self._part(index, item) for index, item in enumerate(self.value)]
        return []

    def step(self, segments: Sequence[str], path: str) -> tuple[_Node, Sequence[str]]:
        """The part that the first segments name, and the segments that are left."""
        parts = self.parts()
        if isinstance(self.value, Mapping):
            # A key may hold dots itself: the longest one that fits is meant.
            for length in range(len(segments), 0, -1):
                key = ".".join(segments[:length])
                for part in parts:
                    if part.at[-1] == key:
                        return part, segments[length:]
        for part in parts:
            if segments[0] == str(part.at[-1]):
                return part, segments[1:]
        for part in parts:
            if isinstance(part.at[-1], int) and segments[0] == _name(part.value):
                return part, segments[1:]
        if not parts:
            shown = "nothing" if self.value is None else "a single value"
            raise UnknownPath(f"there is no '{path}': '{self.path}' is {shown} and has no parts")
        names = [str(part.at[-1]) for part in parts]
        prefix = f"{self.path}." if self.path else ""
        raise _unknown(path, segments[0], names, prefix=prefix)

    def origin(self, *, with_children: bool = False) -> Origin:
        """The same as others see it."""
        written = self.at in self.document.places
        there = self.at
        while there and there not in self.document.places:
            there = there[:-1]
        place = self.document.place(there)
        is_whole = not written or isinstance(self.value, BaseModel | Mapping | list | tuple)
        return Origin(
            path=self.path,
            value=_json(self.value, tuple(_segment(part) for part in self.at)),
            # Of what has parts of its own, the key is what people look for.
            location=place.key if is_whole and there else place.value,
            default=None if written else self.owner,
            under="" if written else document_path(there),
            missing=document_path(self.at[len(there) :]),
            about=self.about,
            children=tuple(part.origin() for part in self.parts()) if with_children else (),
        )

    def _key(self, model: BaseModel, name: str) -> _Node:
        field = type(model).model_fields[name]
        key = field.alias or name
        value = getattr(model, name)
        if isinstance(model, GuardrailUse) and name == "with_":
            value = self._settings(model)
        owner = f"{type(model).__name__}.{key}"
        return self._part(key, value, owner=owner, about=field.description)

    def _part(
        self, key: str | int, value: Any, *, owner: str | None = None, about: str | None = None
    ) -> _Node:
        at = (*self.at, key)
        return _Node(
            self.document, self.prefix, at, value, owner or self.owner, about, self.guardrails
        )

    def _settings(self, use: GuardrailUse) -> Any:
        """The guardrail's own settings with their defaults, if they are known and valid."""
        model = self.guardrails.get(use.use)
        if model is None:
            return use.with_
        try:
            data = to_json(use.with_)
            return model.model_validate_json(data, by_alias=True, by_name=False)
        except ValidationError:
            return use.with_


def _folder(documents: Mapping[str, Placed[Any]], folder: str, names: Sequence[str]) -> Origin:
    children = []
    for name in names:
        placed = documents[f"{folder}.{name}"]
        model, place = placed.model, placed.document.place(("name",)).value
        children.append(
            Origin(f"{folder}.{name}", model.description.strip(), place, None, "", "", None)
        )
    return Origin(
        folder, list(names), Location(f"{folder}.d/"), None, "", "", None, tuple(children)
    )


def _names(documents: Mapping[str, Placed[Any]], folder: str) -> list[str]:
    start = f"{folder}."
    return sorted(name.removeprefix(start) for name in documents if name.startswith(start))


def _unknown(path: str, name: str, known: Sequence[str], *, prefix: str) -> UnknownPath:
    if not prefix:
        known = [*_FOLDERS, *known]
    close = nearest(name, known)
    way = f"did you mean '{prefix}{close}'?" if close else f"known here: {', '.join(known)}"
    return UnknownPath(f"there is no '{path}'; {way}")


def _name(value: Any) -> str | None:
    """What a part of a list goes by, besides its number."""
    if isinstance(value, str):
        return value
    name = getattr(value, "name", None) or getattr(value, "use", None)
    return name if isinstance(name, str) else None


def _segment(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else part


def _json(value: Any, path: tuple[str, ...]) -> Json:
    match value:
        case BaseModel():
            return {
                field.alias or name: _json(getattr(value, name), (*path, field.alias or name))
                for name, field in type(value).model_fields.items()
            }
        case Mapping():
            return {key: _json(item, (*path, key)) for key, item in value.items()}
        case list() | tuple():
            return [_json(item, (*path, f"[{index}]")) for index, item in enumerate(value)]
        case timedelta():
            return duration_text(value)
        case Quantity():
            return str(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case str() if path:
            return without_secrets(path, value)
    return value
