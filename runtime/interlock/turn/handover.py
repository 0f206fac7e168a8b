"""Handing over to a person: the summary, written by a model where one can be afforded."""

from __future__ import annotations

from dataclasses import replace

from interlock.turn.ending import Ending, final_text
from interlock.turn.prompts import summary_prompt
from interlock.turn.run import Run

__all__ = ["hand_over"]

_MOST_TOKENS = 300
_MOST_CHARACTERS = 1500


async def hand_over(run: Run, ending: Ending) -> Ending:
    """The ending with the best summary there is, once it has been traced.

    The model of the `validate` route writes it, if the agent names one, with the tokens and the
    time kept back for a last answer. Where it cannot, the list of what was said and done stays.
    """
    escalation = ending.escalation
    if ending.outcome != "escalated" or escalation is None:
        return ending
    if run.agent.spec.models.validate_ is not None and not run.state.agent_off:
        prompt = summary_prompt(run.agent, run.request, run.state, max_tokens=_MOST_TOKENS)
        text = await final_text(run, prompt, final=True)
        if text is not None:
            escalation = {**escalation, "summary": text[:_MOST_CHARACTERS]}
    run.trace.emit("escalation", escalation, iteration=run.state.iteration)
    return replace(ending, escalation=escalation)
