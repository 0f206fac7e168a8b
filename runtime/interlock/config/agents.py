"""Checks on one agent against its tools, the declared models and its prompts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from pydantic import ValidationError
from pydantic_core import to_json

from interlock.config.guardrail_settings import check_place, check_texts
from interlock.config.placed import Placed
from interlock.config.snapshot import PromptTexts
from interlock.config.surroundings import Surroundings
from interlock.config.validate import Loc, explain
from interlock.config.yaml import MAX_FILE_BYTES
from interlock.diagnostics import nearest
from interlock.model.agent import Agent, GuardrailUse
from interlock.model.base import FileRef
from interlock.model.guardrail import GuardrailStage
from interlock.model.settings import ModelEntry, Settings
from interlock.model.tool import Tool
from interlock.templates import attributes_of

__all__ = ["check_agent", "prompt_path", "prompt_texts"]

_ROUTES: tuple[tuple[str, str], ...] = (
    ("plan", "plan"),
    ("execute", "execute"),
    ("reason", "reason"),
    ("validate_", "validate"),
    ("fast_path", "fastPath"),
)


def prompt_texts(placed: Placed[Agent], files: Mapping[str, bytes]) -> PromptTexts:
    """The agent's prompt texts; reports files that do not exist."""
    prompts = placed.model.prompts
    system = _text(placed, prompts.system, ("prompts", "system"), files)
    planner = prompts.planner
    return PromptTexts(
        system=system or "",
        planner=_text(placed, planner, ("prompts", "planner"), files) if planner else None,
        reinforcement=tuple(reminder.text for reminder in placed.model.reinforcement),
    )


def prompt_path(placed: Placed[Agent], prompt: str | FileRef | None) -> str | None:
    """The project's file that holds a prompt; None if the agent's own does."""
    return _resolve(placed.document.path, prompt.file) if isinstance(prompt, FileRef) else None


def check_agent(
    placed: Placed[Agent],
    texts: PromptTexts,
    *,
    tools: Mapping[str, Tool],
    tools_complete: bool,
    settings: Settings | None,
    surroundings: Surroundings,
) -> None:
    """Reports everything about the agent that refers to something which is not there."""
    _check_tools(placed, tools, tools_complete)
    _check_fast_paths(placed, tools)
    _check_guardrails(placed, surroundings)
    if settings is not None:
        _check_models(placed, settings, surroundings)
        _check_prompts(placed, texts, settings)


def _text(
    placed: Placed[Agent], value: str | FileRef, location: Loc, files: Mapping[str, bytes]
) -> str | None:
    if isinstance(value, str):
        return value
    path = _resolve(placed.document.path, value.file)
    data = files.get(path)
    if data is None:
        placed.report(
            "ILK-C004",
            f"there is no file {path}",
            (*location, "file"),
            hint="the path is relative to the agent's own file, and must be below agents.d/",
        )
        return None
    if len(data) > MAX_FILE_BYTES:
        message = f"{path} is larger than the {MAX_FILE_BYTES} bytes that are read"
        placed.report("ILK-Y006", message, (*location, "file"))
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        placed.report("ILK-Y002", f"{path} is not UTF-8 text", (*location, "file"))
        return None


def _resolve(document: str, file: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(document).parent.joinpath(file).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _check_tools(placed: Placed[Agent], tools: Mapping[str, Tool], complete: bool) -> None:
    agent = placed.model
    reachable = {category for kinds in agent.tool_selection.steps.values() for category in kinds}
    for index, name in enumerate(agent.tools):
        location = ("tools", index)
        tool = tools.get(name)
        if name in agent.tools[:index]:
            placed.report("ILK-C005", f"'{name}' is listed twice", location, hint="remove one")
        elif tool is None:
            # A tool whose own file is broken is not also an unknown tool.
            if complete:
                close = nearest(name, tools)
                hint = f"did you mean '{close}'?" if close else "declare it in tools.d/"
                placed.report("ILK-C006", f"there is no tool '{name}'", location, hint=hint)
        elif tool.category != "escalation" and tool.category not in reachable:
            placed.report(
                "ILK-C017",
                f"no step offers tools of category '{tool.category}', so '{name}' is never used",
                location,
                hint="add the category to toolSelection.steps",
                severity="warning",
            )


def _check_fast_paths(placed: Placed[Agent], tools: Mapping[str, Tool]) -> None:
    for index, path in enumerate(placed.model.fast_paths):
        at: Loc = ("fastPaths", index)
        groups: set[str] = set()
        complete = True
        for number, pattern in enumerate(path.match.patterns):
            try:
                groups |= re.compile(pattern).groupindex.keys()
            except (re.error, OverflowError, RecursionError) as error:
                complete = False
                message = f"not a regular expression: {error}"
                placed.report("ILK-C010", message, (*at, "match", "patterns", number))
        name = path.call.tool
        if name not in placed.model.tools:
            message = f"the agent has no tool '{name}'"
            hint = "add it to the agent's tools:"
            placed.report("ILK-C006", message, (*at, "call", "tool"), hint=hint)
        elif name in tools and tools[name].category == "escalation":
            message = "a fast path cannot call an escalation tool"
            placed.report("ILK-C006", message, (*at, "call", "tool"))
        for key, text in path.call.input.items():
            names = frozenset({"match", "session"})
            place = (*at, "call", "input", key)
            if placed.check_template(text, place, names=names) and complete:
                for group in sorted(attributes_of(text, "match") - groups):
                    message = f"no pattern of this fast path has a group '{group}'"
                    hint = f"write (?P<{group}>...) in the pattern"
                    placed.report("ILK-C008", message, place, hint=hint, word=f"match.{group}")


def _check_guardrails(placed: Placed[Agent], surroundings: Surroundings) -> None:
    guardrails = placed.model.guardrails
    stages: dict[GuardrailStage, tuple[GuardrailUse, ...]] = {
        "input": guardrails.input,
        "toolCall": guardrails.tool_call,
        "toolResult": guardrails.tool_result,
        "output": guardrails.output,
    }
    for stage, uses in stages.items():
        for index, use in enumerate(uses):
            at: Loc = ("guardrails", stage, index)
            model = surroundings.guardrails.get(use.use)
            if model is None and not surroundings.guardrails_complete:
                continue
            if model is None:
                known = ", ".join(sorted(surroundings.guardrails))
                message = f"there is no guardrail '{use.use}'"
                placed.report("ILK-C006", message, (*at, "use"), hint=f"known are: {known}")
                continue
            check_place(placed, use, stage, model, at)
            try:
                settings = model.model_validate_json(
                    to_json(use.with_), by_alias=True, by_name=False
                )
            except ValidationError as error:
                placed.found.extend(explain(model, placed.document, error, at=(*at, "with")))
                continue
            check_texts(placed, settings, (*at, "with"))


def _check_models(placed: Placed[Agent], settings: Settings, surroundings: Surroundings) -> None:
    agent = placed.model
    entries: dict[str, ModelEntry] = {}
    for attribute, route in _ROUTES:
        name = getattr(agent.models, attribute)
        if name is None:
            continue
        entry = settings.models.get(name)
        if entry is None:
            close = nearest(name, settings.models)
            hint = (
                f"did you mean '{close}'?"
                if close
                else "declare it under models: in interlock.yaml"
            )
            placed.report("ILK-C006", f"there is no model '{name}'", ("models", route), hint=hint)
            continue
        entries[route] = entry
        priced = surroundings.has_price(entry.model, settings.prices)
        if agent.limits.max_cost_usd is not None and not priced:
            placed.report(
                "ILK-C012",
                f"limits.maxCostUsd cannot be kept: the price of '{entry.model}' is unknown",
                ("models", route),
                hint=f"add '{entry.model}' under prices: in interlock.yaml",
            )
    if "plan" in entries and "execute" in entries:
        _check_room(placed, entries["plan"].max_tokens + entries["execute"].max_tokens)


def _check_room(placed: Placed[Agent], output_tokens: int) -> None:
    """One plan and one answer must fit, or every conversation would end before its first reply."""
    limits = placed.model.limits
    needed = output_tokens + limits.reserve_for_final
    if needed > limits.max_tokens:
        placed.report(
            "ILK-C015",
            f"limits.maxTokens is {limits.max_tokens}, but one plan, one answer and the reserve"
            f" may need {needed} tokens of output alone",
            ("limits", "maxTokens"),
            hint="raise limits.maxTokens, or lower maxTokens of the models",
        )


def _check_prompts(placed: Placed[Agent], texts: PromptTexts, settings: Settings) -> None:
    agent = placed.model
    names = frozenset({*settings.variables, *agent.variables, "session", "agent"})
    _check_prompt(placed, texts.system, agent.prompts.system, ("prompts", "system"), names)
    if texts.planner is not None and agent.prompts.planner is not None:
        at = ("prompts", "planner")
        _check_prompt(placed, texts.planner, agent.prompts.planner, at, names)
    for index, text in enumerate(texts.reinforcement):
        placed.check_template(text, ("reinforcement", index, "text"), names=names)


def _check_prompt(
    placed: Placed[Agent], text: str, origin: str | FileRef, at: Loc, names: frozenset[str]
) -> None:
    placed.check_template(text, at, names=names, path=prompt_path(placed, origin))
