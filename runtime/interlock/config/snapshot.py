"""The validated configuration: frozen, linked, and named by the digest of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interlock.model.agent import Agent
from interlock.model.settings import Settings
from interlock.model.tool import Tool

__all__ = ["PromptTexts", "Snapshot"]


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """An agent's prompt templates, wherever they were written."""

    system: str
    planner: str | None
    reinforcement: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One whole configuration. Two snapshots with the same digest are the same."""

    digest: str
    files: Mapping[str, bytes]
    settings: Settings
    agents: Mapping[str, Agent]
    tools: Mapping[str, Tool]
    prompts: Mapping[str, PromptTexts]
    """By agent."""
