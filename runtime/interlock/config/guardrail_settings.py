"""Checks on where a guardrail stands, and on what its settings say in other languages."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from interlock.config.placed import Placed
from interlock.config.tools import schema_fault
from interlock.config.validate import Loc
from interlock.diagnostics import nearest
from interlock.model.agent import Agent, GuardrailUse
from interlock.model.base import Document
from interlock.model.guardrail import (
    GuardrailSettings,
    GuardrailStage,
    RegexMark,
    SchemaMark,
    TemplateMark,
    ToolMark,
    marked,
)

__all__ = ["check_place", "check_texts"]


def check_place(
    placed: Placed[Agent],
    use: GuardrailUse,
    stage: GuardrailStage,
    model: type[Document],
    at: Loc,
) -> None:
    """Reports a guardrail where it checks nothing, and an `onViolation` that means nothing."""
    if issubclass(model, GuardrailSettings) and stage not in model.stages:
        stages = " or ".join(model.stages)
        message = f"'{use.use}' checks nothing on '{stage}'"
        placed.report("ILK-C003", message, (*at, "use"), hint=f"move it to {stages}")
    wanted = use.on_violation
    if wanted is None or stage == "output" or (stage == "input" and wanted != "revise"):
        return
    if stage == "input":
        message = f"a message cannot be revised: {_path(at)} must be refuse or escalate"
        hint = None
    else:
        message = f"{_path(at)} means nothing here: the model reads a violation as the call's error"
        hint = "remove onViolation"
    placed.report("ILK-C003", message, (*at, "onViolation"), hint=hint)


def check_texts(placed: Placed[Agent], settings: Document, at: Loc) -> None:
    """Reports regular expressions, templates, schemas and tool names that are not valid."""
    for _, pattern, path in marked(settings, RegexMark):
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            placed.report("ILK-C010", f"not a regular expression: {error}", (*at, *path))
    for mark, text, path in marked(settings, TemplateMark):
        if text.count("{{") > 1:
            message = "the template must be one {{ expression }}, which is true or false"
            placed.report("ILK-C007", message, (*at, *path))
        else:
            placed.check_template(text, (*at, *path), names=mark.names)
    for _, schema, path in marked(settings, SchemaMark):
        fault = schema_fault(schema)
        if fault is not None:
            message, where = fault
            message = f"not a valid JSON Schema: {message}"
            placed.report("ILK-C009", message, (*at, *path, *where))
    tools = placed.model.tools
    for _, name, path in marked(settings, ToolMark):
        if not any(fnmatchcase(tool, name) for tool in tools):
            close = nearest(name, tools)
            hint = f"did you mean '{close}'?" if close else f"its tools are: {', '.join(tools)}"
            message = f"the agent has no tool '{name}'"
            placed.report("ILK-C006", message, (*at, *path), hint=hint)


def _path(at: Loc) -> str:
    return f"{at[0]}.{at[1]}[{at[2]}].onViolation"
