"""How a turn ends: with an answer, with a person, or with what the budget still allows."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.model.turn import Outcome, TurnResult
from interlock.turn.budget import affordable
from interlock.turn.guard import GuardrailInput, NoJudge, first_violation
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
    guardrails, policy = run.agent.guards.output, run.agent.spec.guardrails.on_violation
    revised = False
    while guardrails:
        violation = await first_violation(guardrails, GuardrailInput("output", draft), NoJudge())
        data: JsonObject = {"stage": "output", "verdict": "allow" if violation is None else "deny"}
        if violation is not None:
            data |= {"guardrail": violation.guardrail, "message": violation.message}
        run.trace.emit("guardrail", data, iteration=run.state.iteration)
        if violation is None:
            break
        why = f"guardrail:{violation.guardrail}"
        if policy == "refuse":
            return Ending("refused", run.agent.spec.replies.refused, why)
        text = None
        if policy == "revise" and not revised:
            rejected = (draft, violation.message)
            text = await final_text(
                run,
                final_prompt(run.agent, run.request, run.state, route="execute", rejected=rejected),
            )
        if text is None:
            return escalate(run, Decision("escalate", why, detail=violation.message))
        draft, revised = text, True
    return Ending(outcome, draft, reason)


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
    """Ends with a person: the customer is told, and the trace holds all that is known."""
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
    run.trace.emit("escalation", escalation, iteration=state.iteration)
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
