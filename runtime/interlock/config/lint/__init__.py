"""What is valid and will still go wrong: one pure function for each finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.config.lint.alike import find_alike_tools, find_missing_limits_of_use
from interlock.config.lint.choice import find_crowded_agent, find_crowded_steps
from interlock.config.lint.fast_path_calls import find_unfit_calls
from interlock.config.lint.mutations import find_repeatable_mutations, find_unsent_keys
from interlock.config.lint.patterns import (
    find_slow_guardrails,
    find_slow_inputs,
    find_slow_messages,
)
from interlock.config.lint.prices import find_unpriced_models
from interlock.config.lint.prompts import find_prompt_faults
from interlock.config.lint.secrets import find_secrets_in_prompt_files
from interlock.config.placed import Placed
from interlock.config.snapshot import PromptTexts
from interlock.config.surroundings import Surroundings
from interlock.diagnostics import Diagnostic
from interlock.model.agent import Agent
from interlock.model.settings import Settings
from interlock.model.tool import Tool

__all__ = ["lint_agent", "lint_tool"]


def lint_agent(
    placed: Placed[Agent],
    texts: PromptTexts,
    *,
    tools: Mapping[str, Tool],
    settings: Settings | None,
    surroundings: Surroundings,
) -> Iterator[Diagnostic]:
    """What to say about an agent; names that refer to nothing have been reported before."""
    mine = [tools[name] for name in dict.fromkeys(placed.model.tools) if name in tools]
    yield from find_crowded_agent(placed, mine)
    yield from find_crowded_steps(placed, mine)
    yield from find_alike_tools(placed, mine)
    yield from find_slow_messages(placed)
    yield from find_slow_guardrails(placed, surroundings)
    yield from find_unfit_calls(placed, mine)
    yield from find_secrets_in_prompt_files(placed, texts)
    if settings is not None:
        yield from find_prompt_faults(placed, texts, mine, settings.variables)
        yield from find_unpriced_models(placed, settings, surroundings)


def lint_tool(placed: Placed[Tool]) -> Iterator[Diagnostic]:
    """What to say about a tool by itself."""
    yield from find_missing_limits_of_use(placed)
    yield from find_repeatable_mutations(placed)
    yield from find_unsent_keys(placed)
    yield from find_slow_inputs(placed)
