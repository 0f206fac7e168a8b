"""Strict YAML: plain values with a place in the file for every one of them.

Stricter than YAML where YAML surprises: repeated keys, values that YAML 1.1 and 1.2 read
differently, merge keys, tags and anchors that expand without end are findings, not values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from interlock.diagnostics import Diagnostic, Location

__all__ = ["MAX_FILE_BYTES", "Place", "YamlDocument", "parse_yaml"]

MAX_FILE_BYTES = 1_048_576
_MAX_NODES = 100_000
_MAX_DEPTH = 64

_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: seven times as fast, the same marks."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_TAG = "tag:yaml.org,2002:"
_BOOLS = {"true": True, "false": False}
_AMBIGUOUS = (
    (re.compile(r"(?i:yes|no|on|off)"), "some YAML versions read it as true or false"),
    (re.compile(r"[-+]?0[0-9_]+"), "some YAML versions read a leading 0 as octal"),
    (
        # Not every text that begins so: a digest may.
        re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)"),
        "YAML versions disagree on its value",
    ),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "some YAML versions read it as base 60"),
    (re.compile(r"(?i:[-+]?\.inf|\.nan)"), "it is not a number that configuration can use"),
)


class _Loader(_BaseLoader):  # type: ignore[misc]  # chosen when the module is loaded
    """Knows only the scalars that every YAML version reads alike, and nests only so deep."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    # libyaml's own composer recurses in C, where deep nesting ends the process.
    check_node = Composer.check_node
    get_node = Composer.get_node
    compose_document = Composer.compose_document
    compose_scalar_node = Composer.compose_scalar_node
    compose_sequence_node = Composer.compose_sequence_node
    compose_mapping_node = Composer.compose_mapping_node

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.anchors: dict[str, Node] = {}
        self._path = path
        self._depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Any:
        """The next node. Raises `_TooLarge` when it is nested too deeply."""
        if self._depth > _MAX_DEPTH:
            mark = self.peek_event().start_mark
            raise _TooLarge(Location(self._path, mark.line + 1, mark.column + 1))
        self._depth += 1
        node = Composer.compose_node(self, parent, index)
        self._depth -= 1
        return node


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false|True|False|TRUE|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$",
        "-+0123456789.",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^(?:<<)$", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(_pattern), list(_first))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, and where its key does."""

    value: Location
    key: Location
    block: bool = False
    """Whether the value is a block scalar, whose text begins on the line after its mark."""
    last_line: int = 0
    """The line on which the value ends."""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document of a file: its value, and the place of every part of it."""

    path: str
    value: Any
    places: Mapping[tuple[str | int, ...], Place]
    lines: Sequence[str] = ()
    """The lines of the whole file."""
    numbers: Mapping[tuple[str | int, ...], str] = field(default_factory=dict)
    """The numbers that would be printed otherwise than they are written, as they are written."""

    def place(self, location: tuple[str | int, ...]) -> Place:
        """The place of the value at `location`, or of the deepest part of it that exists."""
        for length in range(len(location), -1, -1):
            found = self.places.get(location[:length])
            if found is not None:
                return found
        start = Location(self.path)
        return Place(start, start)


@dataclass(slots=True)
class _Walk:
    path: str
    places: dict[tuple[str | int, ...], Place] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)
    numbers: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    nodes: int = 0

    def report(self, code: str, message: str, node: Node, hint: str | None = None) -> None:
        self.found.append(Diagnostic(code, message, self.location(node), hint))

    def location(self, node: Node) -> Location:
        mark = node.start_mark
        return Location(self.path, mark.line + 1, mark.column + 1)

    def build(self, node: Node, at: tuple[str | int, ...], key: Node | None) -> Any:
        self.nodes += 1
        # An anchor that holds itself is just one that nests without end.
        if self.nodes > _MAX_NODES or len(at) > _MAX_DEPTH:
            raise _TooLarge(self.location(node))
        here = self.location(node)
        block = isinstance(node, ScalarNode) and node.style in ("|", ">")
        at_key = here if key is None else self.location(key)
        self.places[at] = Place(here, at_key, block, node.end_mark.line + 1)
        if isinstance(node, ScalarNode):
            value = self._scalar(node)
            if type(value) in (int, float) and str(value) != node.value:
                self.numbers[at] = node.value
            return value
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(item, (*at, index), None) for index, item in enumerate(node.value)]
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, at)
        self._report_tag(node)
        return None

    def _mapping(self, node: MappingNode, at: tuple[str | int, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in lines:
                self.report(
                    "ILK-Y003",
                    f"the key '{key}' stands here again; it is first on line {lines[key]}",
                    key_node,
                    "remove one of the two",
                )
                continue
            lines[key] = key_node.start_mark.line + 1
            result[key] = self.build(value_node, (*at, key), key_node)
        return result

    def _key(self, node: Node) -> str | None:
        if not isinstance(node, ScalarNode):
            self.report("ILK-Y005", "a key must be a plain text", node)
            return None
        if node.tag == _TAG + "merge":
            self.report("ILK-Y005", "merge keys (<<) are not supported", node, "write the keys out")
            return None
        value = self._scalar(node)
        # A number as a key is a text like any other: `200:` in a table of statuses.
        return value if isinstance(value, str) else str(node.value)

    def _scalar(self, node: ScalarNode) -> Any:
        text: str = node.value
        if not node.style:
            for pattern, reason in _AMBIGUOUS:
                if pattern.fullmatch(text):
                    self.report(
                        "ILK-Y004",
                        f"'{text}' is ambiguous: {reason}",
                        node,
                        f'write "{text}" for the text, or another form for the value',
                    )
                    return text
        match node.tag.removeprefix(_TAG):
            case "str":
                return self._text(text, node)
            case "bool" if text.lower() in _BOOLS:
                return _BOOLS[text.lower()]
            case "null":
                return None
            case "int" | "float" as kind:
                return self._number(text, kind, node)
        self._report_tag(node)
        return None

    def _text(self, text: str, node: ScalarNode) -> str:
        if text.isprintable() or text.isascii():
            return text
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.report("ILK-Y005", "the text holds half of a character (a surrogate)", node)
            return ""
        return text

    def _number(self, text: str, kind: str, node: ScalarNode) -> Any:
        try:
            value = int(text) if kind == "int" and len(text) <= 40 else float(text)
        except ValueError:
            self._report_tag(node)
            return None
        if len(text) > 40 or not math.isfinite(value):
            self.report("ILK-Y005", "the number is too large", node)
            return 0
        return value

    def _report_tag(self, node: Node) -> None:
        self.report("ILK-Y005", f"the tag '{node.tag}' is not supported", node, "remove the tag")


class _TooLarge(Exception):
    def __init__(self, location: Location) -> None:
        self.location = location
        super().__init__("too large")


def parse_yaml(path: str, data: bytes) -> tuple[list[YamlDocument], list[Diagnostic]]:
    """The documents of one file and everything that is wrong with it as YAML. Never raises."""
    start = Location(path)
    if len(data) > MAX_FILE_BYTES:
        limit = f"the file has {len(data)} bytes; at most {MAX_FILE_BYTES} are read"
        return [], [Diagnostic("ILK-Y006", limit, start, "split the file")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        hint = "save the file as UTF-8"
        return [], [Diagnostic("ILK-Y002", message, Location(path, line, column), hint)]
    documents: list[YamlDocument] = []
    found: list[Diagnostic] = []
    lines = _LINE_BREAK.split(text)
    try:
        loader = _Loader(path, text)
        try:
            while loader.check_node() and (node := loader.get_node()) is not None:
                walk = _Walk(path)
                value = walk.build(node, (), None)
                # What stands behind an alias is walked again, and found again.
                found += dict.fromkeys(walk.found)
                documents.append(YamlDocument(path, value, walk.places, lines, walk.numbers))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        found.append(_syntax_error(path, error))
    except yaml.reader.ReaderError as error:
        found.append(_forbidden_character(path, text, error))
    except yaml.YAMLError as error:
        found.append(Diagnostic("ILK-Y001", str(error), start))
    except _TooLarge as error:
        message = "the document nests too deeply or its anchors expand too far"
        found.append(Diagnostic("ILK-Y006", message, error.location))
    return documents, found


def _forbidden_character(path: str, text: str, error: yaml.reader.ReaderError) -> Diagnostic:
    # libyaml counts bytes and gives the code point, PyYAML's own reader neither.
    character = error.character if isinstance(error.character, str) else chr(error.character)
    before = text[: text.find(character)]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    message = f"the character U+{ord(character):04X} is not allowed in YAML"
    location = Location(path, line, column)
    return Diagnostic("ILK-Y001", message, location, "remove it, or write it as an escape")


def _syntax_error(path: str, error: yaml.MarkedYAMLError) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    location = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
    problem = error.problem or "syntax error"
    hint = None
    if "cannot start any token" in problem:
        hint = "indent with spaces, and quote texts that begin with %, @, ` or a tab"
    elif "mapping values are not allowed" in problem:
        hint = "quote a text that holds ': ', or check the indentation"
    elif "undefined alias" in problem:
        hint = "quote a text that begins with *, or declare the anchor before it is used"
    elif "did not find expected" in problem:
        hint = "check the indentation, brackets and quotes up to here"
    return Diagnostic("ILK-Y001", problem, location, hint)
