"""Carrying out one step: one call of the capable model, and the tool calls that it makes."""

from __future__ import annotations

from interlock.model.plan import Step
from interlock.turn.model_call import call_model
from interlock.turn.prompts import Prompt, step_prompt
from interlock.turn.reply import (
    Answer,
    Overflow,
    Paused,
    ReadReply,
    ToolUse,
    Truncated,
    UnknownStop,
    Unusable,
    read_reply,
)
from interlock.turn.run import LimitReached, ModelUnavailable, Run
from interlock.turn.select import select_tools
from interlock.turn.state import ToolCall
from interlock.turn.switches import stop_if_off
from interlock.turn.tool_calls import run_tool_calls

__all__ = ["execute_step"]

_UNUSABLE_REPLIES = 2


async def execute_step(run: Run) -> None:
    """Executes the first step of the plan and leaves what came of it in the state.

    Raises what `call_model` raises, `Refusal` and `AgentOff`.
    """
    state = run.state
    step = state.steps[0]
    # Again, as planning took its time.
    await stop_if_off(run)
    tools = select_tools(run.agent, step, without=state.tools_off)
    prompt = step_prompt(run.agent, run.request, state, step=step, tools=tools)
    reply = await _ask(run, prompt)
    paused, state.continuation = state.continuation, []
    match reply:
        case ToolUse(text, calls):
            state.unusable_replies = 0
            # Our own ids: those of a provider may repeat from one request to the next.
            made = [
                ToolCall(f"toolu_{state.tool_calls + number:04d}", name, arguments)
                for number, (name, arguments) in enumerate(calls, 1)
            ]
            await run_tool_calls(run, made, text=text, offered=prompt.tools)
            _advance(run, step)
        case Answer(text):
            state.draft = text
        case Truncated(text):
            if not text:
                raise ModelUnavailable("unusable", "the reply was cut off before any text")
            state.draft, state.cut_off = text, True
        case Paused(content):
            state.continuation = [*paused, *content]
        case Overflow():
            raise LimitReached("context", "the prompt filled the model's context window")
        case Unusable():
            state.unusable_replies += 1
            if state.unusable_replies >= _UNUSABLE_REPLIES:
                raise ModelUnavailable("unusable", "the model's replies were empty")
        case UnknownStop(stop_reason):
            state.unknown_stop = stop_reason
    if step.type == "escalate" and state.draft is not None:
        # Whatever the model wrote: a person was to be called, and it has not called one.
        state.handover = {"reason": step.instruction}


async def _ask(run: Run, prompt: Prompt) -> ReadReply:
    """The reply; one that was cut off is asked for once more with twice the room.

    If that fails, what there was of the first one stands.
    """
    reply = read_reply(await call_model(run, prompt))
    if isinstance(reply, Truncated):
        prompt.body["max_tokens"] *= 2
        try:
            reply = read_reply(await call_model(run, prompt))
        except (LimitReached, ModelUnavailable):
            return reply
    return reply


def _advance(run: Run, step: Step) -> None:
    """Goes to the next step, unless something went otherwise than planned."""
    results = run.state.exchanges[-1].results
    as_planned = all(result.status == "success" for result in results)
    run.state.steps = run.state.steps[1:] if as_planned else ()
    if as_planned:
        # What follows in this plan has not been attempted by what went before.
        run.state.mutation_attempted = False
