"""An agent ready to run: templates compiled, schemas compiled, routes and prices resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Template
from jsonschema import Draft202012Validator

from interlock.model.agent import Agent, FastPath, Route
from interlock.model.base import JsonObject
from interlock.model.settings import ProviderRetry
from interlock.model.tool import Tool
from interlock.model.usage import Price
from interlock.turn.guard import Guards

__all__ = ["CompiledAgent", "CompiledFastPath", "CompiledTool", "ModelRoute", "Reminder"]


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """The model that serves a route, and how it is called."""

    provider: str
    model: str
    max_tokens: int
    effort: str | None
    structured_output: bool
    prompt_caching: bool
    extra_body: JsonObject
    price: Price | None
    timeout_seconds: float
    retry: ProviderRetry


@dataclass(frozen=True, slots=True)
class CompiledTool:
    """A tool as the loop uses it."""

    spec: Tool
    definition: JsonObject
    """What the model sees."""
    validator: Draft202012Validator
    bind: Mapping[str, str]
    words: Mapping[str, int]
    """The tool's words with their weight, for ranking."""
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class CompiledFastPath:
    """A fast path with its patterns compiled."""

    spec: FastPath
    patterns: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reinforcement rule with its text compiled."""

    every: int
    text: Template


@dataclass(frozen=True, slots=True)
class CompiledAgent:
    """All that a turn needs to know about its agent; shared by every turn of a generation."""

    spec: Agent
    snapshot: str
    routes: Mapping[Route, ModelRoute]
    tools: Mapping[str, CompiledTool]
    system: Template
    planner: Template
    catalogue: str
    """The agent's tools as the planner reads them."""
    reminders: tuple[Reminder, ...]
    fast_paths: tuple[CompiledFastPath, ...]
    variables: Mapping[str, str | int | float | bool]
    guards: Guards
