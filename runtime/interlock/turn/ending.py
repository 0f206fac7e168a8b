"""How a turn ends: with an answer, with a person, or with what the budget still allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import to_json

from interlock.model.agent import OnViolation
from interlock.model.base import JsonObject
from interlock.model.turn import Outcome, TurnResult
from interlock.turn.budget import affordable
from interlock.turn.evidence import gather_evidence
from interlock.turn.guard import GuardrailInput
from interlock.turn.guarding import Verdict, Violation, judge, trace_verdict
from interlock.turn.model_call import call_model
from interlock.turn.observe import Decision
from interlock.turn.prompts import Prompt, final_prompt
from interlock.turn.reply import Answer, Refusal, Truncated, read_reply
from interlock.turn.run import LimitReached, ModelUnavailable, Run

__all__ = ["Ending", "answer", "escalate", "final_text", "finish", "land"]

_LEAST_OUTPUT = 64
"""A final answer with less room than this would say nothing."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a turn comes to."""

    outcome: Outcome
    reply: str
    reason: str
    escalation: JsonObject | None = None


async def answer(run: Run, draft: str, outcome: Outcome, reason: str) -> Ending:
    """Ends with the model's answer, once the output guardrails let it pass."""
    revised = False
    while True:
        verdict = await _judge_answer(run, draft)
        if not verdict.violations:
            return Ending(outcome, verdict.text, reason)
        refusing = _that(run, verdict, "refuse")
        if refusing is not None:
            return Ending("refused", run.agent.spec.replies.refused, refusing.reason)
        text, violations = None, verdict.violations
        # Another wording helps against what is wrong with the text, and only against that.
        stuck = _that(run, verdict, "escalate") or next(
            (no for no in violations if no.failed), None
        )
        if stuck is None and not revised:
            text = await _revise(run, draft, violations)
        if text is None:
            detail = "; ".join(violation.message for violation in violations)
            reason = (stuck or violations[0]).reason
            return escalate(run, Decision("escalate", reason, detail=detail))
        draft, revised = text, True


async def _judge_answer(run: Run, draft: str) -> Verdict:
    """All that is wrong with an answer, so that one revision can mend it all."""
    uses = run.agent.guards.output
    if not uses:
        return Verdict(draft)
    evidence = gather_evidence(run.request, run.state.exchanges)
    data = GuardrailInput("output", draft, session=run.request.session, evidence=evidence)
    verdict = await judge(run, uses, data, every=True)
    trace_verdict(run, verdict)
    if not verdict.violations:
        passed = {"stage": "output", "verdict": "allow"}
        run.trace.emit("guardrail", passed, iteration=run.state.iteration)
    return verdict


def _that(run: Run, verdict: Verdict, wanted: OnViolation) -> Violation | None:
    """The first violation that leads to `wanted`."""
    usual = run.agent.spec.guardrails.on_violation
    found = (no for no in verdict.violations if (no.on_violation or usual) == wanted)
    return next(found, None)


async def _revise(run: Run, draft: str, violations: Sequence[Violation]) -> str | None:
    issues = [violation.message for violation in violations]
    issue = issues[0] if len(issues) == 1 else "".join(f"\n- {each}" for each in issues)
    rejected = (draft, issue)
    prompt = final_prompt(run.agent, run.request, run.state, route="execute", rejected=rejected)
    return await final_text(run, prompt)


async def final_text(run: Run, prompt: Prompt, *, final: bool = False) -> str | None:
    """The text of a reply to a prompt without tools; None if there is none to be had.

    One that was cut off is taken only where there is no other way left, when `final`.
    """
    try:
        reply = read_reply(await call_model(run, prompt, final=final))
    except (LimitReached, ModelUnavailable, Refusal):
        return None
    if isinstance(reply, Answer) or (final and isinstance(reply, Truncated)):
        return reply.text or None
    return None


def escalate(run: Run, decision: Decision) -> Ending:
    """Ends with a person: the customer is told; `handover` traces all that is known."""
    state, declared = run.state, run.agent.spec.escalation
    last = state.exchanges[-1].calls[-1] if state.exchanges else None
    asked = (state.handover or {}).get("reason")
    escalation: JsonObject = {
        "queue": declared.queue,
        "reason": decision.reason,
        "detail": str(asked) if asked else _detail(decision),
        "summary": _summary(run),
        "lastToolCall": None if last is None else {"tool": last.name, "input": last.input},
    }
    return Ending("escalated", declared.message, decision.reason, escalation)


async def land(run: Run, decision: Decision) -> Ending:
    """Ends at a limit without losing the work: a last answer from the reserve, or a person."""
    if decision.action == "escalate":
        return escalate(run, decision)
    route = run.agent.routes["execute"]
    room = affordable(run.budget.tokens_left, run.budget.cost_left, route.price)
    text: str | None = None
    if room.output_tokens >= _LEAST_OUTPUT:
        prompt = final_prompt(
            run.agent,
            run.request,
            run.state,
            route="execute",
            max_tokens=room.output_tokens,
            max_bytes=room.prompt_bytes,
        )
        text = await final_text(run, prompt, final=True)
    if text is None:
        return Ending("incomplete", run.agent.spec.replies.incomplete, decision.reason)
    return await answer(run, text, "incomplete", decision.reason)


def finish(run: Run, ending: Ending) -> TurnResult:
    """The turn's result, and its last trace event."""
    state = run.state
    seconds = (run.ctx.now() - run.started).total_seconds()
    data: JsonObject = {"outcome": ending.outcome, "reason": ending.reason, "reply": ending.reply}
    run.trace.emit(
        "response",
        data,
        iteration=state.iteration,
        latency_ms=seconds * 1000,
        tokens=state.tokens,
        cost_nano=state.cost_nano,
    )
    return TurnResult(
        outcome=ending.outcome,
        reply=ending.reply,
        reason=ending.reason,
        iterations=state.iteration,
        model_calls=state.model_calls,
        tool_calls=state.tool_calls,
        tokens=state.tokens,
        cost_nano=state.cost_nano,
        unpriced_calls=state.unpriced_calls,
        escalation=ending.escalation,
        message=run.request.text if state.redacted else None,
    )


def _detail(decision: Decision) -> str | None:
    """What decided, with the YAML key that an operator would change."""
    if decision.limit is None:
        return decision.detail
    return f"{decision.detail} ({decision.limit})" if decision.detail else decision.limit


def _summary(run: Run) -> str:
    """What a person needs to know to take over, without asking a model."""
    lines = [f"The customer wrote: {run.request.text[:1000]}"]
    for exchange in run.state.exchanges:
        for call, result in zip(exchange.calls, exchange.results, strict=True):
            effect = f", effect {result.effect}" if result.effect != "none" else ""
            said = f": {result.message}" if result.message else ""
            lines.append(
                f"{call.name} {to_json(call.input).decode()} -> {result.status}{effect}{said}"
            )
    return "\n".join(lines)
