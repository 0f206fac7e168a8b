"""The one way from bytes to a snapshot: for check, start, reload and tests alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from interlock.config.agents import check_agent, prompt_texts
from interlock.config.placed import Placed
from interlock.config.service import check_settings, missing_environment
from interlock.config.snapshot import Snapshot
from interlock.config.source import SETTINGS_FILE, Source
from interlock.config.surroundings import Surroundings
from interlock.config.tools import check_tool
from interlock.config.validate import validate
from interlock.config.yaml import YamlDocument, parse_yaml
from interlock.diagnostics import Diagnostic, Location
from interlock.errors import ConfigError
from interlock.model.agent import Agent
from interlock.model.base import Document
from interlock.model.settings import Settings
from interlock.model.tool import Tool

__all__ = ["Loaded", "load"]

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a source: a snapshot when nothing is wrong, and all findings either way."""

    source: Source
    snapshot: Snapshot | None
    found: tuple[Diagnostic, ...]
    places: Mapping[str, Location] = field(default_factory=dict)
    """Where each tool is declared, for faults that only its implementation shows."""

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
    complete = not any(diagnostic.severity == "error" for diagnostic in found)
    texts = {}
    if settings is not None:
        environment = {**settings.model.environment, **surroundings.environment}
        surroundings = replace(surroundings, environment=environment)
        check_settings(settings)
        missing_environment(settings, surroundings.environment)
        found += settings.found
    for tool in tools.values():
        check_tool(tool, surroundings)
        found += tool.found
    for name, agent in agents.items():
        texts[name] = prompt_texts(agent, source.files)
        check_agent(
            agent,
            texts[name],
            tools={name: placed.model for name, placed in tools.items()},
            tools_complete=complete,
            settings=settings.model if settings else None,
            surroundings=surroundings,
        )
        found += agent.found
    if complete:
        found += _unused_tools(tools, agents)
    found.sort(key=lambda diagnostic: diagnostic.location)
    places = {name: placed.document.place(()).value for name, placed in tools.items()}
    if settings is None or any(diagnostic.severity == "error" for diagnostic in found):
        return Loaded(source, None, tuple(found), places)
    snapshot = Snapshot(
        digest=source.digest,
        files=source.files,
        settings=settings.model,
        agents=MappingProxyType({name: placed.model for name, placed in agents.items()}),
        tools=MappingProxyType({name: placed.model for name, placed in tools.items()}),
        prompts=MappingProxyType(texts),
    )
    return Loaded(source, snapshot, tuple(found), places)


def _settings(source: Source, found: list[Diagnostic]) -> Placed[Settings] | None:
    data = source.files.get(SETTINGS_FILE)
    if data is None:
        message = f"there is no {SETTINGS_FILE}, so this is not an Interlock project"
        hint = "go to the project's folder, or make one with: interlock init FOLDER"
        found.append(Diagnostic("ILK-C004", message, Location(SETTINGS_FILE), hint))
        return None
    placed = _documents(SETTINGS_FILE, data, Settings, found)
    if len(placed) > 1:
        second = placed[1].document.place(()).value
        found.append(Diagnostic("ILK-C005", f"{SETTINGS_FILE} has two documents", second))
    return placed[0] if placed else None


def _collect(
    source: Source, folder: str, model: type[D], found: list[Diagnostic]
) -> dict[str, Placed[D]]:
    result: dict[str, Placed[D]] = {}
    paths = source.under(folder)
    if not paths:
        message = f"there is no YAML file in {folder}/"
        found.append(Diagnostic("ILK-C004", message, Location(f"{folder}/")))
    for path in paths:
        for placed in _documents(path, source.files[path], model, found):
            name = str(getattr(placed.model, "name"))  # noqa: B009  # both kinds have one
            if name in result:
                first = result[name].document.place(("name",)).value
                placed.report("ILK-C005", f"'{name}' is declared before at {first}", ("name",))
                found += placed.found
            else:
                result[name] = placed
    return result


def _documents(path: str, data: bytes, model: type[D], found: list[Diagnostic]) -> list[Placed[D]]:
    parsed, problems = parse_yaml(path, data)
    found += problems
    if not parsed and not problems:
        found.append(Diagnostic("ILK-C003", "the file is empty", Location(path)))
    placed = []
    for document in parsed:
        if _is_blank(document) and len(parsed) > 1:
            continue
        value, errors = validate(model, document)
        found += errors
        if value is not None:
            placed.append(Placed(value, document))
    return placed


def _is_blank(document: YamlDocument) -> bool:
    """A separator at the end of a file makes a document with nothing in it."""
    return document.value is None


def _unused_tools(
    tools: Mapping[str, Placed[Tool]], agents: Mapping[str, Placed[Agent]]
) -> list[Diagnostic]:
    used = {name for agent in agents.values() for name in agent.model.tools}
    found = []
    for name, tool in tools.items():
        if name not in used:
            message = f"no agent uses the tool '{name}'"
            place = tool.document.place(("name",)).value
            found.append(Diagnostic("ILK-C016", message, place, severity="warning"))
    return found
