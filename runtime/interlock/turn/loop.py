"""The turn: plan, execute, observe, until there is a reply, an escalation or a refusal."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from interlock.model.base import JsonObject
from interlock.model.plan import Plan
from interlock.model.turn import Outcome, Resumed, TurnRequest, TurnResult
from interlock.turn.agent import CompiledAgent
from interlock.turn.ending import Ending, answer, escalate, final_text, finish, land
from interlock.turn.execute import execute_step
from interlock.turn.fast_path import match_fast_path, take_fast_path
from interlock.turn.follow_up import tell_decision
from interlock.turn.guard import GuardrailInput
from interlock.turn.guarding import Verdict, judge, trace_verdict
from interlock.turn.handover import hand_over
from interlock.turn.observe import LIMIT_KEYS, Decision, Observation, observe
from interlock.turn.plan import default_plan, required_steps
from interlock.turn.planner import make_plan
from interlock.turn.ports import Ctx
from interlock.turn.prompts import final_prompt
from interlock.turn.reply import Refusal
from interlock.turn.run import LimitReached, ModelUnavailable, Run, start_run
from interlock.turn.switches import AgentOff, stop_if_off
from interlock.turn.tool_calls import resume_call

__all__ = ["run_turn"]

_LOG = logging.getLogger(__name__)


async def run_turn(ctx: Ctx, agent: CompiledAgent, request: TurnRequest) -> TurnResult:
    """Answers one message. Always returns a result; whatever happens in it is traced."""
    run = start_run(ctx, agent, request)
    try:
        ending = await _end_with_summary(run)
    except Exception:
        # The boundary of a turn: operators read the log, the customer still gets an answer.
        _LOG.exception("turn %s failed", request.turn_id)
        ending = Ending("failed", agent.spec.replies.failed, "internal_error")
    return finish(run, ending)


async def _end_with_summary(run: Run) -> Ending:
    return await hand_over(run, tell_decision(run, await _end(run)))


async def _end(run: Run) -> Ending:
    try:
        await stop_if_off(run)
        ending = await _end_unless_off(run)
        if ending.outcome in ("resolved", "incomplete"):
            # What the model has worded meanwhile is held back too; a person is still called.
            await stop_if_off(run)
        return ending
    except AgentOff:
        return Ending("refused", run.agent.spec.replies.refused, "agent_disabled")


async def _end_unless_off(run: Run) -> Ending:
    spec = run.agent.spec
    try:
        return await _turn(run)
    except Refusal as refusal:
        return Ending("refused", spec.replies.refused, f"model_refusal:{refusal.category}")
    except ModelUnavailable as failure:
        return Ending("failed", spec.replies.failed, f"model_{failure.kind}")
    except LimitReached as limit:
        key = LIMIT_KEYS.get(limit.kind)
        decision = Decision(spec.limits.on_exhausted, limit.kind, key, limit.detail)
        _trace(run, decision)
        return await land(run, decision)


async def _turn(run: Run) -> Ending:
    if run.request.resumed is not None:
        return await _follow_up(run, run.request.resumed)
    ending, plan = await _admit(run)
    if ending is not None:
        return ending
    if plan is None:
        ending = await _try_fast_path(run)
        if ending is not None:
            return ending
    return await _loop(run, plan)


async def _follow_up(run: Run, resumed: Resumed) -> Ending:
    """Goes on after a person's decision, as if the call had just been made."""
    await resume_call(run, resumed)
    decision = observe(_observation(run, None), run.agent.spec)
    if decision.action != "continue":
        _trace(run, decision)
        return await land(run, decision)
    return await _loop(run, None)


async def _admit(run: Run) -> tuple[Ending | None, Plan | None]:
    """The input guardrails, side by side with the first plan, which a refusal cancels."""
    uses = run.agent.guards.input
    if not uses:
        return None, None
    # No model reads what a guardrail may yet take out of the message.
    first = max((number for number, use in enumerate(uses, 1) if use.redacts), default=0)
    if first:
        ending = _take(run, await judge(run, uses[:first], _message(run)))
        if ending is not None:
            return ending, None
    # A fast path has no plan to prepare, and no tool may run before the message is admitted.
    fast = match_fast_path(run.agent, run.request.text) is not None
    planning = None if fast else asyncio.create_task(make_plan(run))
    try:
        text = run.request.text
        ending = _take(run, await judge(run, uses[first:], _message(run)))
        if ending is None:
            run.trace.emit("guardrail", {"stage": "input", "verdict": "allow"}, iteration=0)
        if ending is not None or planning is None or run.request.text != text:
            # A plan for another text is none.
            return ending, None
        return None, await planning or default_plan(run.request.text)
    finally:
        if planning is not None:
            planning.cancel()
            # Also after a failure of its own: nothing may be left behind unheard.
            await asyncio.gather(planning, return_exceptions=True)


def _message(run: Run) -> GuardrailInput:
    return GuardrailInput("input", run.request.text, session=run.request.session)


def _take(run: Run, verdict: Verdict) -> Ending | None:
    """Goes on with the message as the guardrails left it, or ends with their no."""
    trace_verdict(run, verdict)
    if verdict.text != run.request.text:
        run.request = replace(run.request, text=verdict.text)
        run.state.redacted = True
    for violation in verdict.violations:
        if violation.on_violation == "escalate":
            return escalate(run, Decision("escalate", violation.reason, detail=violation.message))
        return Ending("refused", run.agent.spec.replies.refused, violation.reason)
    return None


async def _try_fast_path(run: Run) -> Ending | None:
    matched = match_fast_path(run.agent, run.request.text)
    if matched is None or matched[0].spec.call.tool in run.state.tools_off:
        return None
    if await take_fast_path(run, *matched):
        prompt = final_prompt(run.agent, run.request, run.state, route="fastPath")
        text = await final_text(run, prompt)
        if text is not None:
            return await answer(run, text, "resolved", "fast_path")
    # Without a text the loop takes over, which has more ways to end well than this one call;
    # but not where a person is needed, or no iteration is left.
    decision = observe(_observation(run, None), run.agent.spec)
    _trace(run, decision)
    if decision.reason == "approval_pending":
        return Ending("incomplete", run.agent.spec.replies.approval_pending, decision.reason)
    return None if decision.action == "continue" else await land(run, decision)


async def _loop(run: Run, plan: Plan | None) -> Ending:
    state, agent = run.state, run.agent
    while True:
        await stop_if_off(run)
        state.iteration += 1
        shortage: LimitReached | None = None
        try:
            await _plan_if_due(run, plan)
            plan = None
            await execute_step(run)
        except LimitReached as limit:
            shortage = limit
        decision = observe(_observation(run, shortage), agent.spec)
        _trace(run, decision)
        if decision.action == "continue":
            continue
        if decision.reason == "end_turn" and state.draft is not None:
            return await answer(run, state.draft, *_resolution(run))
        if decision.reason == "approval_pending":
            return Ending("incomplete", agent.spec.replies.approval_pending, decision.reason)
        if decision.action == "complete":
            return await land(run, decision)
        return escalate(run, decision)


async def _plan_if_due(run: Run, prepared: Plan | None) -> None:
    state, agent = run.state, run.agent
    if state.continuation:
        return  # A paused reply goes on with the very request that it belongs to.
    state.budget_low = run.budget.share_used >= agent.spec.limits.warn_at
    if prepared is not None:
        state.steps = prepared.steps
    elif not state.steps or agent.spec.planner.replan == "always":
        plan = await make_plan(run) or default_plan(run.request.text)
        state.steps = plan.steps
    if state.budget_low:
        state.steps = required_steps(state.steps)


def _observation(run: Run, shortage: LimitReached | None) -> Observation:
    state = run.state
    return Observation(
        iteration=state.iteration,
        shortage=shortage.kind if shortage else None,
        detail=shortage.detail if shortage else None,
        loop=state.loop,
        failed_iterations=state.failed_iterations,
        handed_over=state.handover is not None,
        unknown_effect=state.unknown_effect,
        unknown_stop=state.unknown_stop,
        has_reply=state.draft is not None,
        awaiting=state.awaiting,
    )


def _trace(run: Run, decision: Decision) -> None:
    iteration = run.state.iteration
    data: JsonObject = {"action": decision.action, "reason": decision.reason}
    if decision.detail is not None:
        data["detail"] = decision.detail
    run.trace.emit("observation", data, iteration=iteration)
    if decision.limit is not None:
        breaker = {"breaker": decision.reason, "limit": decision.limit, "detail": decision.detail}
        run.trace.emit("breaker", breaker, iteration=iteration)


def _resolution(run: Run) -> tuple[Outcome, str]:
    """Whether the answer means that the turn's work was done; never better than it was."""
    state = run.state
    if state.cut_off:
        return "incomplete", "max_tokens"
    if state.open_failures:
        return "incomplete", "tool_failed"
    open_action = any(
        step.type == "take_action" and step.priority == "required" for step in state.steps
    )
    if open_action and not state.mutation_attempted:
        return "incomplete", "action_open"
    return "resolved", "end_turn"
