"""Running the guardrails of one place in order, and what comes of their decisions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic_core import from_json

from interlock.model.agent import OnViolation
from interlock.model.base import JsonObject
from interlock.turn.guard import Deny, GuardrailInput, NoVerdict, Redact, Use
from interlock.turn.judge import ModelJudge
from interlock.turn.run import Run

__all__ = ["FAILED", "Verdict", "Violation", "judge", "trace_verdict"]

FAILED = "guardrail_failed"
"""The rule that a guardrail breaks which raises, takes too long, or can give no verdict."""

_LEAST_SECONDS = 1.0
"""What a guardrail gets at least, so that late in a turn a quick one can still say no."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Violation:
    """A guardrail's no."""

    guardrail: str
    message: str
    """What is wrong, in words that a model can act on."""
    rule: str | None = None
    on_violation: OnViolation | None = None
    """What its use says about violations."""

    @property
    def failed(self) -> bool:
        """Whether the guardrail gave no decision at all."""
        return self.rule == FAILED

    @property
    def reason(self) -> str:
        """Why a turn that ends here did."""
        return f"{FAILED if self.failed else 'guardrail'}:{self.guardrail}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guardrails of one place came to."""

    text: str
    """What goes on: the text as it was, or as it was redacted."""
    violations: tuple[Violation, ...] = ()
    findings: tuple[JsonObject, ...] = ()
    """For the trace, in order: denials, redactions, and failures that were let pass."""


async def judge(
    run: Run, uses: Sequence[Use], data: GuardrailInput, *, every: bool = False
) -> Verdict:
    """Asks the guardrails in order; each reads the text as the one before left it.

    Ends at the first no, unless `every` one is to be heard.
    """
    violations: list[Violation] = []
    findings: list[JsonObject] = []
    for use in uses:
        # An answer that is there must not be lost because nobody could judge it any more.
        asking = ModelJudge(run, final=data.stage == "output")
        decision = await _decide(run, use, data, asking)
        name = use.guardrail.name
        findings += [_finding(data, "allow", name, "note", note) for note in asking.notes]
        if decision is None:
            continue
        if isinstance(decision, Redact):
            redacted = _redacted(data, decision.text)
            if redacted is not None:
                findings.append(_finding(data, "redact", name, decision.rule, None))
                data = redacted
                continue
            decision = Deny("what it left of the text is not a JSON object", FAILED)
        if decision.rule == FAILED and use.on_error == "allow":
            findings.append(_finding(data, "allow", name, FAILED, decision.message))
            continue
        findings.append(_finding(data, "deny", name, decision.rule, decision.message))
        violations.append(Violation(name, decision.message, decision.rule, use.on_violation))
        if not every:
            break
    return Verdict(data.text, tuple(violations), tuple(findings))


def trace_verdict(run: Run, verdict: Verdict) -> None:
    """Records what the guardrails found."""
    for finding in verdict.findings:
        run.trace.emit("guardrail", finding, iteration=run.state.iteration)


async def _decide(
    run: Run, use: Use, data: GuardrailInput, asking: ModelJudge
) -> Deny | Redact | None:
    name = use.guardrail.name
    seconds = min(use.timeout_seconds, max(_LEAST_SECONDS, run.seconds_left(final=True)))
    try:
        async with asyncio.timeout(seconds) as limit:
            return await use.guardrail.check(data, asking)
    except NoVerdict as error:
        return Deny(str(error), FAILED)
    except Exception as error:
        # The boundary to code that may be a plugin's: the trace and the log say what it raised.
        if limit.expired():
            return Deny(f"it took longer than {seconds:g} s", FAILED)
        _LOG.exception("the guardrail '%s' failed in turn %s", name, run.request.turn_id)
        return Deny(f"it raised {type(error).__name__}", FAILED)


def _redacted(data: GuardrailInput, text: str) -> GuardrailInput | None:
    """The input with another text; None if that cannot stand in a tool call or its result."""
    if data.stage in ("input", "output"):
        return replace(data, text=text)
    try:
        value = from_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return replace(data, text=text, arguments=None if data.arguments is None else value)


def _finding(
    data: GuardrailInput, verdict: str, guardrail: str, rule: str | None, message: str | None
) -> JsonObject:
    finding: JsonObject = {"stage": data.stage, "verdict": verdict, "guardrail": guardrail}
    more = {"tool": data.tool, "rule": rule, "message": message}
    return finding | {key: value for key, value in more.items() if value is not None}
