"""Whether the prompts can be rendered, for every customer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic_core import from_json, to_json

from interlock.config.agents import prompt_path
from interlock.config.lint.sample import bound_claims, read_claims, sample_session
from interlock.config.locating import locate_in_file
from interlock.config.placed import Placed
from interlock.config.snapshot import PromptTexts
from interlock.config.validate import Loc
from interlock.diagnostics import Diagnostic, Severity, nearest
from interlock.memo import remembered
from interlock.model.agent import Agent
from interlock.model.tool import Tool
from interlock.templates import (
    TemplateFault,
    attributes_of,
    compile_template,
    line_of,
    render,
    undeclared,
)

__all__ = ["find_prompt_faults"]

_ABOUT = ("name", "description")
"""What prompts can read from `agent`."""


def find_prompt_faults(
    placed: Placed[Agent],
    texts: PromptTexts,
    tools: Sequence[Tool],
    variables: Mapping[str, str | int | float | bool],
) -> Iterator[Diagnostic]:
    """ILK-C008, C024 and C025: what goes wrong when the prompts are rendered with a session.

    The session is a sample; its claims fit whatever a prompt does with them. A template that is
    not valid, or takes unknown names, has been reported before.
    """
    agent = placed.model
    about = {"name": agent.name, "description": agent.description}
    context = to_json({**variables, **agent.variables, "agent": about})
    bound = bound_claims(tools)
    for text, at, origin in _prompts(placed, texts):
        for fault in _faults(text, context, bound):
            if origin is None:
                yield placed.finding(
                    fault.code,
                    fault.message,
                    at,
                    hint=fault.hint,
                    severity=fault.severity,
                    line=fault.line,
                    word=fault.word,
                )
            else:
                place = locate_in_file(origin, text, line=fault.line, word=fault.word)
                yield Diagnostic(fault.code, fault.message, place, fault.hint, fault.severity)


def _prompts(placed: Placed[Agent], texts: PromptTexts) -> Iterator[tuple[str, Loc, str | None]]:
    prompts = placed.model.prompts
    yield texts.system, ("prompts", "system"), prompt_path(placed, prompts.system)
    if texts.planner is not None:
        yield texts.planner, ("prompts", "planner"), prompt_path(placed, prompts.planner)
    for index, text in enumerate(texts.reinforcement):
        yield text, ("reinforcement", index, "text"), None


class _Fault(NamedTuple):
    code: str
    message: str
    line: int
    word: str
    hint: str | None
    severity: Severity


@remembered
def _faults(text: str, context: bytes, bound: frozenset[str]) -> tuple[_Fault, ...]:
    known = from_json(context)
    try:
        if undeclared(text) - {*known, "session"}:
            return ()
        wrong = sorted(attributes_of(text, "agent") - {*_ABOUT, *dir(dict)})
        if wrong:
            return tuple(_unknown_attribute(text, name) for name in wrong)
        return tuple(_rendering_faults(text, known, bound))
    except TemplateFault:
        return ()


def _unknown_attribute(text: str, name: str) -> _Fault:
    close = nearest(name, _ABOUT)
    known = "known here: agent.name, agent.description"
    hint = f"did you mean 'agent.{close}'?" if close else known
    message = f"the template uses 'agent.{name}', which is not defined"
    line = line_of(text, "agent", name)
    return _Fault("ILK-C008", message, line, f"agent.{name}", hint, "error")


def _rendering_faults(
    text: str, known: Mapping[str, object], bound: frozenset[str]
) -> Iterator[_Fault]:
    template = compile_template(text)
    claims = read_claims(text)
    try:
        render(template, {**known, "session": sample_session(claims | bound)})
    except TemplateFault as fault:
        # Where a claim plays a part, it may be the sample that does not fit.
        severity: Severity = "warning" if "session" in undeclared(text) else "error"
        message = f"the prompt cannot be rendered: {fault.message}"
        yield _Fault("ILK-C025", message, fault.line, "", None, severity)
        return
    for claim in sorted(claims - bound):
        try:
            render(template, {**known, "session": sample_session((claims | bound) - {claim})})
        except TemplateFault:
            yield _unsure_claim(text, claim)


def _unsure_claim(text: str, claim: str) -> _Fault:
    message = (
        f"the prompt needs the session's '{claim}', which no tool of the agent binds; where it is"
        " missing, every turn fails"
    )
    guard = f"{{% if session.{claim} is defined %}}...{{% endif %}}"
    hint = f"write {guard} around it, or bind it in a tool"
    line = line_of(text, "session", claim)
    return _Fault("ILK-C024", message, line, f"session.{claim}", hint, "warning")
