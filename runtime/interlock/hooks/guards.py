"""A plugin's judgement as a guardrail like any other, which fails closed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from interlock.hooks.data import GuardContext
from interlock.hooks.dispatch import Caller, Implementation, PluginCallError
from interlock.model.base import Document
from interlock.turn.guard import Deny, Guardrail, GuardrailInput, Judge, Redact

__all__ = ["HookGuard", "IsolatedGuardrail", "OnError"]

OnError = Literal["deny", "allow"]
Decision = Deny | Redact | None

FAILED = "plugin_failed"
"""The rule that a plugin's failure counts as."""


class HookGuard:
    """A `guard_` hook of a plugin, for one agent. Its name is that of the plugin."""

    def __init__(
        self,
        caller: Caller,
        implementation: Implementation,
        *,
        settings: Document,
        agent: str,
        on_error: OnError,
    ) -> None:
        self._caller = caller
        self._implementation = implementation
        self._settings = settings
        self._agent = agent
        self._on_error = on_error

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self._caller.plugin

    async def check(self, data: GuardrailInput, judge: Judge) -> Decision:
        """What the plugin decides, or what its failure counts as."""
        ctx = GuardContext(self._agent, judge)
        function = self._implementation.bind(data=data, settings=self._settings, ctx=ctx)
        return await _decide(self._caller, self._implementation.hook, function, self._on_error)


class IsolatedGuardrail:
    """A guardrail that a plugin registered, under the name that YAML uses."""

    def __init__(
        self, caller: Caller, name: str, guardrail: Guardrail, *, on_error: OnError
    ) -> None:
        self._caller = caller
        self.name = name
        self.redacts: bool = getattr(guardrail, "redacts", False)
        """Whether it may give another text in place of a message."""
        self._guardrail = guardrail
        self._on_error = on_error

    async def check(self, data: GuardrailInput, judge: Judge) -> Decision:
        """What the guardrail decides, or what its failure counts as."""
        function = partial(self._guardrail.check, data, judge)
        return await _decide(self._caller, f"guardrail {self.name}", function, self._on_error)


async def _decide(
    caller: Caller, hook: str, function: Callable[[], Any], on_error: OnError
) -> Decision:
    try:
        decision = await caller.call(hook, function)
        if decision is None or isinstance(decision, Deny | Redact):
            return decision
        problem = f"it gave {type(decision).__name__}, which is neither Deny, Redact nor None"
        error = PluginCallError(caller.plugin, hook, "result", problem)
        caller.fail(error)
    except PluginCallError:
        # The caller has counted and logged it; what it counts as is decided here.
        pass
    if on_error == "allow":
        return None
    return Deny(f"the check of the plugin '{caller.plugin}' could not be made", rule=FAILED)
