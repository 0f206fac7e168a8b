"""The errors that Interlock raises itself; every one carries a stable code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from interlock.diagnostics import Diagnostic

__all__ = [
    "ConfigError",
    "ConversationNotFound",
    "InterlockError",
    "StoreError",
    "ToolDefinitionError",
    "UnknownAgent",
]


class InterlockError(Exception):
    """The root of our errors. `code` appears in logs, API answers and docs."""

    code: ClassVar[str] = "internal"


class ConfigError(InterlockError):
    """The configuration is not valid; `diagnostics` holds every finding."""

    code = "invalid_config"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        errors = sum(1 for found in diagnostics if found.severity == "error")
        super().__init__(f"the configuration has {errors} error{'s' if errors != 1 else ''}")


class ToolDefinitionError(InterlockError):
    """A tool is declared correctly but its implementation cannot be loaded."""

    code = "invalid_tool"

    def __init__(self, tool: str, key: str, problem: str) -> None:
        self.tool = tool
        self.key = key
        """The path of the key in the tool's document, such as `http.url`."""
        self.problem = problem
        """What is wrong and the way out, without the place."""
        super().__init__(f"tool '{tool}', {key}: {problem}")


class UnknownAgent(InterlockError):
    """No agent of that name is declared."""

    code = "unknown_agent"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        super().__init__(f"there is no agent '{name}'; declared are: {', '.join(known) or 'none'}")


class ConversationNotFound(InterlockError):
    """No conversation has that id."""

    code = "conversation_not_found"

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        super().__init__(f"there is no conversation '{conversation_id}'")


class StoreError(InterlockError):
    """The store cannot be reached or does not hold what it must."""

    code = "store_unavailable"
