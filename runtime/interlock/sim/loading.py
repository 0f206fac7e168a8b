"""Reading a rules file: strict YAML to `SimRules`, or every mistake with its place."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from interlock.diagnostics import Diagnostic, Location, nearest
from interlock.errors import InterlockError
from interlock.model.base import Json
from interlock.sim.rules import Rule, SimRules
from interlock.sim.template import check_template
from interlock.templates import TemplateFault

__all__ = ["SimRulesError", "load_rules", "parse_rules"]

_Loc = tuple[str | int, ...]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SimRulesError(InterlockError):
    """The rules file is not valid; `diagnostics` holds every finding, the text shows them all."""

    code: ClassVar[str] = "invalid_sim_rules"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda found: found.location))
        super().__init__("\n".join(_line(found) for found in self.diagnostics))


def load_rules(path: Path) -> SimRules:
    """The rules in a file. Raises `SimRulesError`, and `OSError` when it cannot be read."""
    return parse_rules(path.read_bytes(), str(path))


def parse_rules(data: bytes, path: str) -> SimRules:
    """The rules in a file's bytes; `path` is what messages call it. Raises `SimRulesError`."""
    try:
        file = _read(data, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
        problem = error.problem or "syntax error"
        raise SimRulesError([Diagnostic("ILK-Y001", problem, place)]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SimRulesError([Diagnostic("ILK-Y001", str(error), Location(path))]) from error
    if file.found:
        raise SimRulesError(file.found)
    try:
        rules = SimRules.model_validate_json(to_json(file.value))
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise SimRulesError([_diagnostic(file, detail) for detail in details]) from error
    found = [*_check_names(file, rules), *_check_order(file, rules), *_check_templates(file, rules)]
    if found:
        raise SimRulesError(found)
    return rules


def _line(found: Diagnostic) -> str:
    return f"{found}\n  hint: {found.hint}" if found.hint else str(found)


class _File:
    """The value of a YAML document, the node at every place in it, and what is wrong with it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.value: Json = None
        self.nodes: dict[_Loc, Node] = {}
        self.keys: dict[_Loc, Node] = {}
        self.found: list[Diagnostic] = []
        self._walked: set[int] = set()

    def report(self, node: Node, code: str, message: str, hint: str | None = None) -> None:
        self.found.append(Diagnostic(code, message, self.location(node), hint))

    def location(self, node: Node) -> Location:
        return Location(self.path, node.start_mark.line + 1, node.start_mark.column + 1)

    def place(self, loc: _Loc, *, key: bool = False) -> Location:
        """Where the value at `loc` stands, or the deepest part of it that exists."""
        for length in range(len(loc), -1, -1):
            part = loc[:length]
            if part in self.nodes:
                node = self.keys.get(part, self.nodes[part]) if key else self.nodes[part]
                return self.location(node)
        return Location(self.path)

    def walk(self, node: Node, loc: _Loc) -> None:
        if id(node) in self._walked:
            self.report(node, "ILK-Y005", "anchors and aliases are not supported", "write it out")
            return
        self._walked.add(id(node))
        self.nodes[loc] = node
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self.walk(item, (*loc, index))
        elif isinstance(node, MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                name = key.value if isinstance(key, ScalarNode) else str(key.tag)
                line = key.start_mark.line + 1
                if name in seen:
                    message = f"the key '{name}' stands here again; first on line {seen[name]}"
                    self.report(key, "ILK-Y003", message, "remove one of the two")
                seen.setdefault(name, line)
                self.keys[(*loc, name)] = key
                self.walk(value, (*loc, name))


def _read(data: bytes, path: str) -> _File:
    file = _File(path)
    loader = _Loader(data.decode("utf-8-sig"))
    try:
        node = loader.get_single_node()
        if node is None:
            file.found.append(
                Diagnostic("ILK-C003", "the file is empty", Location(path), "add 'rules:'")
            )
            return file
        file.walk(node, ())
        if not file.found:
            file.value = loader.construct_document(node)
    finally:
        loader.dispose()
    return file


def _diagnostic(file: _File, detail: ErrorDetails) -> Diagnostic:
    loc, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        holder = _model_at(SimRules, loc[:-1])
        known = [field.alias or name for name, field in holder.model_fields.items()]
        hint = _meant(str(loc[-1]), known) or f"known here: {', '.join(known)}"
        return Diagnostic("ILK-C002", f"unknown key '{loc[-1]}'", file.place(loc, key=True), hint)
    if kind == "missing":
        message = f"the key '{loc[-1]}' is missing"
        return Diagnostic("ILK-C001", message, file.place(loc[:-1]), f"add '{loc[-1]}:'")
    where = ".".join(str(part) for part in loc) or "the file"
    return Diagnostic("ILK-C003", f"{where}: {detail['msg']}", file.place(loc), _way_out(detail))


def _way_out(detail: ErrorDetails) -> str | None:
    if detail["type"] == "literal_error":
        choices = str(detail["ctx"]["expected"]).replace(" or ", ", ").split(", ")
        return _meant(str(detail["input"]), [choice.strip("'") for choice in choices])
    if detail["type"] == "string_type" and isinstance(detail["input"], bool | int | float):
        return "quote it"
    return None


def _meant(name: str, known: list[str]) -> str | None:
    close = nearest(name, known)
    return f"did you mean '{close}'?" if close else None


def _model_at(model: type[BaseModel], loc: _Loc) -> type[BaseModel]:
    """The document class at a place, found by walking the annotations."""
    for part in loc:
        if isinstance(part, str):
            fields = [f for n, f in model.model_fields.items() if part in (n, f.alias)]
            model = _model_in(fields[0].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, types.UnionType, tuple):
        found = (_model_in(argument) for argument in get_args(annotation))
        return next((model for model in found if model is not None), None)
    return None


def _check_names(file: _File, rules: SimRules) -> Iterator[Diagnostic]:
    first: dict[str, int] = {}
    for index, rule in enumerate(rules.rules):
        place = file.place(("rules", index, "name"))
        if rule.name in first:
            message = f"a rule named '{rule.name}' stands on line {first[rule.name]} already"
            yield Diagnostic("ILK-C005", message, place, "give each rule its own name")
        first.setdefault(rule.name, place.line)


def _check_order(file: _File, rules: SimRules) -> Iterator[Diagnostic]:
    for index, rule in enumerate(rules.rules[:-1]):
        if rule.when.is_always:
            message = f"no rule after '{rule.name}' is ever reached: it takes every request"
            place = file.place(("rules", index, "name"))
            yield Diagnostic("ILK-C003", message, place, "move it to the end, or add 'when:'")
            return


def _check_templates(file: _File, rules: SimRules) -> Iterator[Diagnostic]:
    for index, rule in enumerate(rules.rules):
        patterns = (rule.when.user, rule.when.text)
        groups = frozenset(name for p in patterns if p is not None for name in p.groupindex)
        for loc, text in _template_strings(rule):
            try:
                check_template(text, groups)
            except TemplateFault as fault:
                at = ("rules", index, "reply", *loc)
                place, node = file.place(at), file.nodes.get(at)
                is_block = isinstance(node, ScalarNode) and node.style in ("|", ">")
                line = place.line + fault.line - 1 + is_block
                yield Diagnostic("ILK-C007", fault.message, Location(file.path, line, place.column))


def _template_strings(rule: Rule) -> Iterator[tuple[_Loc, str]]:
    reply = rule.reply
    if reply is None:
        return
    yield from _strings(reply.text, ("text",))
    yield from _strings(reply.thinking, ("thinking",))
    yield from _strings(reply.json_value, ("json",))
    for index, tool in enumerate(reply.tools):
        yield from _strings(tool.input, ("tools", index, "input"))


def _strings(value: Json, loc: _Loc) -> Iterator[tuple[_Loc, str]]:
    if isinstance(value, str):
        yield loc, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*loc, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*loc, index))
