"""`tool_policy`: which tool calls are forbidden, by their input and the session's claims."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, ClassVar

from pydantic import Field

from interlock.model.base import Document
from interlock.model.guardrail import GuardrailSettings, GuardrailStage, Predicate, ToolGlob
from interlock.templates import TemplateFault, render_value
from interlock.turn.guard import Deny, GuardrailInput, Judge

__all__ = ["ToolPolicy", "ToolPolicySettings", "ToolRule"]


class ToolRule(Document):
    """One kind of call that is forbidden."""

    tool: ToolGlob
    """The tool's name; `*` stands for any letters."""
    when: Predicate
    """An expression over `input` and `session` that is true where the call is forbidden."""
    deny: str = Field(min_length=1, examples=["Returns above 100 USD need a person."])
    """What the model is told."""


class ToolPolicySettings(GuardrailSettings):
    """The settings of `tool_policy`."""

    stages: ClassVar[tuple[GuardrailStage, ...]] = ("toolCall",)

    rules: Annotated[tuple[ToolRule, ...], Field(min_length=1)]
    """The rules, each tried in order."""


class ToolPolicy:
    """Evaluates expressions. What cannot be decided is forbidden."""

    name = "tool_policy"

    def __init__(self, settings: ToolPolicySettings) -> None:
        self._rules = settings.rules

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """Denies a call that a rule forbids, or for which a rule cannot be decided."""
        context = {"input": data.arguments or {}, "session": data.session}
        for index, rule in enumerate(self._rules):
            if not fnmatchcase(data.tool or "", rule.tool):
                continue
            try:
                forbidden = render_value(rule.when, context)
            except TemplateFault as fault:
                return Deny(f"{rule.deny} (undecided: {fault.message})", f"rules[{index}]")
            if not isinstance(forbidden, bool):
                return Deny(f"{rule.deny} (undecided: neither true nor false)", f"rules[{index}]")
            if forbidden:
                return Deny(rule.deny, f"rules[{index}]")
        return None
