"""The one way from bytes to a snapshot: for check, start, reload and tests alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from interlock.config.agents import check_agent, prompt_texts
from interlock.config.lint import lint_agent, lint_tool
from interlock.config.lint.number_texts import check_variables
from interlock.config.lint.secrets import find_secrets_in_document
from interlock.config.placed import Placed
from interlock.config.service import (
    check_addresses,
    check_secret_files,
    check_settings,
    missing_environment,
)
from interlock.config.snapshot import Snapshot
from interlock.config.source import SETTINGS_FILE, Source
from interlock.config.surroundings import Surroundings
from interlock.config.tools import check_tool
from interlock.config.validate import validate
from interlock.config.yaml import YamlDocument, parse_yaml
from interlock.diagnostics import Diagnostic, Location
from interlock.errors import ConfigError
from interlock.memo import remembered
from interlock.model.agent import Agent
from interlock.model.base import Document
from interlock.model.settings import Settings
from interlock.model.tool import Tool

__all__ = ["Loaded", "load", "place_settings"]

D = TypeVar("D", bound=Document)

_UNREAD = frozenset({"ILK-Y004", "ILK-Y005"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a source: a snapshot when nothing is wrong, and all findings either way."""

    source: Source
    snapshot: Snapshot | None
    found: tuple[Diagnostic, ...]
    places: Mapping[str, Location] = field(default_factory=dict)
    """Where each tool is declared, for faults that only its implementation shows."""
    documents: Mapping[str, Placed[Any]] = field(default_factory=dict)
    """Every document that has the right shape, whatever is wrong with others: `settings`,
    `agents.NAME` and `tools.NAME`."""

    def require(self) -> Snapshot:
        """The snapshot. Raises `ConfigError` with all findings if there is none."""
        if self.snapshot is None:
            raise ConfigError(self.found)
        return self.snapshot


def load(source: Source, surroundings: Surroundings) -> Loaded:
    """Parses, validates and links a whole configuration. Pure, and never raises for bad input."""
    found: list[Diagnostic] = list(source.found)
    settings = _settings(source, found)
    tools = _collect(source, "tools.d", Tool, found)
    agents = _collect(source, "agents.d", Agent, found)
    # What a broken file would have declared is not also unknown, and not also unused.
    tools_complete, agents_complete = _complete("tools.d", found), _complete("agents.d", found)
    texts = {}
    environment = None
    if settings is not None:
        environment = {**settings.model.environment, **surroundings.environment}
        check_settings(settings)
        check_variables(settings)
        missing_environment(settings, environment, resolved=surroundings.resolved)
        check_addresses(settings, environment)
        if surroundings.read_secret is not None:
            check_secret_files(settings, surroundings.read_secret, resolved=surroundings.resolved)
        found += settings.found
    for tool in tools.values():
        check_tool(tool, environment)
        found += tool.found
        found += lint_tool(tool)
    known = {name: placed.model for name, placed in tools.items()}
    declared = settings.model if settings else None
    for name, agent in agents.items():
        texts[name] = prompt_texts(agent, source.files)
        check_variables(agent)
        check_agent(
            agent,
            texts[name],
            tools=known,
            tools_complete=tools_complete,
            settings=declared,
            surroundings=surroundings,
        )
        found += agent.found
        found += lint_agent(
            agent, texts[name], tools=known, settings=declared, surroundings=surroundings
        )
    if agents_complete:
        found += _unused_tools(tools, agents)
    found = _without_quotes(found)
    found.sort(key=lambda diagnostic: diagnostic.location)
    places = {name: placed.document.place(()).value for name, placed in tools.items()}
    documents: dict[str, Placed[Any]] = {} if settings is None else {"settings": settings}
    documents |= {f"agents.{name}": placed for name, placed in agents.items()}
    documents |= {f"tools.{name}": placed for name, placed in tools.items()}
    if settings is None or any(diagnostic.severity == "error" for diagnostic in found):
        return Loaded(source, None, tuple(found), places, documents)
    snapshot = Snapshot(
        digest=source.digest,
        files=source.files,
        settings=settings.model,
        agents=MappingProxyType({name: placed.model for name, placed in agents.items()}),
        tools=MappingProxyType({name: placed.model for name, placed in tools.items()}),
        prompts=MappingProxyType(texts),
    )
    return Loaded(source, snapshot, tuple(found), places, documents)


def place_settings(source: Source) -> Placed[Settings] | None:
    """The settings of a source, whatever else is wrong with it; None if they have not their shape.

    What is wrong with them is found by `load`.
    """
    return _settings(source, [])


def _without_quotes(found: list[Diagnostic]) -> list[Diagnostic]:
    """The findings but for others about a text that is a secret: they might quote a part of it."""
    secrets = {(each.location.path, each.where) for each in found if each.code == "ILK-C026"}
    return [
        each
        for each in found
        if each.code == "ILK-C026" or (each.location.path, each.where) not in secrets
    ]


def _settings(source: Source, found: list[Diagnostic]) -> Placed[Settings] | None:
    data = source.files.get(SETTINGS_FILE)
    if data is None:
        message = f"there is no {SETTINGS_FILE}, so this is not an Interlock project"
        hint = "go to the project's folder, or make one with: interlock init FOLDER"
        found.append(Diagnostic("ILK-C004", message, Location(SETTINGS_FILE), hint))
        return None
    placed = _documents(SETTINGS_FILE, data, Settings, found, single=True)
    return placed[0] if placed else None


def _collect(
    source: Source, folder: str, model: type[D], found: list[Diagnostic]
) -> dict[str, Placed[D]]:
    result: dict[str, Placed[D]] = {}
    paths = source.under(folder)
    if not paths:
        message = f"there is no YAML file in {folder}/"
        hint = f"put one there, such as {folder}/NAME.yaml; `interlock init` writes examples"
        found.append(Diagnostic("ILK-C004", message, Location(f"{folder}/"), hint))
    for path in paths:
        for placed in _documents(path, source.files[path], model, found):
            name = str(getattr(placed.model, "name"))  # noqa: B009  # both kinds have one
            if name in result:
                first = result[name].document.place(("name",)).value
                message = f"'{name}' is declared before at {first}"
                placed.report("ILK-C005", message, ("name",), hint="rename or remove one of them")
                found += placed.found
            else:
                result[name] = placed
    return result


def _documents(
    path: str, data: bytes, model: type[D], found: list[Diagnostic], *, single: bool = False
) -> list[Placed[D]]:
    documents, problems = _parse(path, data, model, single)
    found += problems
    # What the checks find is added to a `Placed`, so each load has its own.
    return [Placed(value, document) for value, document in documents]


@remembered
def _parse(
    path: str, data: bytes, model: type[D], single: bool
) -> tuple[list[tuple[D, YamlDocument]], list[Diagnostic]]:
    parsed, found = parse_yaml(path, data)
    problems = tuple(found)
    # A separator at the end of a file makes a document with nothing in it.
    filled = [document for document in parsed if document.value is not None]
    if not filled and not problems:
        found.append(Diagnostic("ILK-C003", "the file is empty", Location(path)))
    if single and len(filled) > 1:
        second = filled[1].place(()).value
        found.append(Diagnostic("ILK-C005", f"{path} has more than one document", second))
        del filled[1:]
    # A value that cannot be read is not also of the wrong type.
    unread = {problem.location for problem in problems if problem.code in _UNREAD}
    documents = []
    for document in filled:
        value, errors = validate(model, document)
        found += find_secrets_in_document(document)
        found += (error for error in errors if error.location not in unread)
        if value is not None:
            documents.append((value, document))
    return documents, found


def _complete(folder: str, found: list[Diagnostic]) -> bool:
    """Whether every document of the folder could be read."""
    return not any(
        diagnostic.severity == "error" and diagnostic.location.path.startswith(f"{folder}/")
        for diagnostic in found
    )


def _unused_tools(
    tools: Mapping[str, Placed[Tool]], agents: Mapping[str, Placed[Agent]]
) -> list[Diagnostic]:
    used = {name for agent in agents.values() for name in agent.model.tools}
    found = []
    for name, tool in tools.items():
        if name not in used:
            message = f"no agent uses the tool '{name}'"
            hint = "add it to the tools: of an agent, or remove it"
            found.append(
                tool.finding("ILK-C016", message, ("name",), hint=hint, severity="warning")
            )
    return found
