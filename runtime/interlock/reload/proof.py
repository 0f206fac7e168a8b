"""What the prompts and the code of a configuration show that its files alone do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from interlock.config.diff_cost import dollars
from interlock.config.lint.mutations import describe_unsent_key
from interlock.config.lint.sample import bound_claims, read_claims, sample_session
from interlock.config.placed import Placed
from interlock.config.snapshot import PromptTexts, Snapshot
from interlock.diagnostics import Diagnostic, Severity
from interlock.model.agent import Agent
from interlock.model.plan import Step, StepType
from interlock.model.turn import Spent, TurnRequest
from interlock.templates import TemplateFault
from interlock.tools.toolbox import Toolbox
from interlock.turn.agent import CompiledAgent, CompiledTool
from interlock.turn.budget import Budget, Shortage, affordable, estimate_tokens
from interlock.turn.prompts import Prompt, final_prompt, plan_prompt, step_prompt
from interlock.turn.repetition import RepetitionLog
from interlock.turn.run import new_budget
from interlock.turn.state import TurnState

__all__ = ["prove_agents", "prove_tools"]

_MESSAGE = "x" * 200
"""A first message, and also the instruction of a step."""

_LEAST_ANSWER = 128
"""Tokens of a last answer, its prompt not counted."""


def prove_tools(
    snapshot: Snapshot, toolbox: Toolbox, documents: Mapping[str, Placed[Any]]
) -> Iterator[Diagnostic]:
    """ILK-C023 for functions that cannot be handed the idempotency key."""
    for name, tool in snapshot.tools.items():
        if tool.python is None or tool.idempotency is None or toolbox.takes_key(name):
            continue
        hint = f"give {tool.python.function} a parameter 'idempotency_key', and pass it on"
        yield describe_unsent_key(documents[f"tools.{name}"], hint)


def prove_agents(
    snapshot: Snapshot,
    agents: Mapping[str, CompiledAgent],
    documents: Mapping[str, Placed[Any]],
) -> Iterator[Diagnostic]:
    """ILK-C015, C031 and C032: limits that the agents' real prompts do not fit into."""
    for name, agent in agents.items():
        placed = documents[f"agents.{name}"]
        try:
            yield from _prove(placed, agent, _sample_request(agent, snapshot.prompts[name]))
        except TemplateFault:
            # That a prompt does not take the sample has been reported.
            continue


@dataclass(frozen=True, slots=True)
class _Call:
    """A model call, and what is reserved for it."""

    what: str
    prompt_tokens: int
    output_tokens: int
    cost_nano: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.output_tokens


def _sample_request(agent: CompiledAgent, texts: PromptTexts) -> TurnRequest:
    prompts = (texts.system, texts.planner or "", *texts.reinforcement)
    claims = bound_claims(tool.spec for tool in agent.tools.values()).union(
        *(read_claims(text) for text in prompts)
    )
    return TurnRequest(
        turn_id="",
        conversation_id="",
        customer_id=None,
        session=sample_session(claims),
        text=_MESSAGE,
    )


def _prove(
    placed: Placed[Agent], agent: CompiledAgent, request: TurnRequest
) -> Iterator[Diagnostic]:
    state = TurnState(RepetitionLog(agent.spec.breakers.repetition), iteration=1)
    plan = _call(agent, "the plan", plan_prompt(agent, request, state, problem=None))
    step = _largest_step(agent, request, state)
    for call in (plan, step):
        shortage = _reserve(new_budget(agent, Spent()), call)
        if shortage is not None:
            beginning = f"no message can be answered: {call.what}"
            yield _shortage(placed, agent, (plan, step), call, shortage, beginning, "error")
            return
    budget = new_budget(agent, Spent())
    shortage = _reserve(budget, plan) or _reserve(budget, step)
    if shortage is not None:
        beginning = (
            f"one plan and one step can use up a whole conversation: after the plan, {step.what}"
        )
        yield _shortage(placed, agent, (plan, step), step, shortage, beginning, "warning")
    yield from _prove_reserve(placed, agent, final_prompt(agent, request, state, route="execute"))


def _largest_step(agent: CompiledAgent, request: TurnRequest, state: TurnState) -> _Call:
    """The step that takes the most: of the type with the longest tools, on the larger route."""
    kinds = agent.spec.tool_selection.steps
    offered = {type_: _longest_tools(agent, type_) for type_ in kinds} or {"respond": []}
    type_, tools = max(offered.items(), key=lambda item: _size(item[1]))
    what = f"a step of type '{type_}' with {_number(tools)}"
    calls = []
    for hard in (False, True) if agent.routes["reason"] != agent.routes["execute"] else (False,):
        step = Step(type=type_, instruction=_MESSAGE, hard=hard)
        prompt = step_prompt(agent, request, state, step=step, tools=tools)
        calls.append(_call(agent, what, prompt))
    return max(calls, key=lambda call: (call.tokens, call.cost_nano))


def _longest_tools(agent: CompiledAgent, type_: StepType) -> list[CompiledTool]:
    """As many tools as such a step may offer, and those whose definitions are the longest."""
    selection = agent.spec.tool_selection
    categories = selection.steps.get(type_, ())
    escalations = [tool for tool in agent.tools.values() if tool.spec.category == "escalation"]
    others = [
        tool
        for tool in agent.tools.values()
        if tool.spec.category in categories and tool.spec.category != "escalation"
    ]
    others.sort(key=lambda tool: _size([tool]), reverse=True)
    return [*escalations, *others[: max(0, selection.max - len(escalations))]]


def _size(tools: Sequence[CompiledTool]) -> int:
    return sum(len(to_json(tool.definition)) for tool in tools)


def _number(tools: Sequence[CompiledTool]) -> str:
    number = len(tools)
    return f"{number} tool" if number == 1 else f"{number or 'no'} tools"


def _call(agent: CompiledAgent, what: str, prompt: Prompt) -> _Call:
    tokens, output = estimate_tokens(len(to_json(prompt.body))), prompt.body["max_tokens"]
    price = agent.routes[prompt.route].price
    return _Call(what, tokens, output, price.worst(tokens, output) if price else 0)


def _reserve(budget: Budget, call: _Call) -> Shortage | None:
    held = budget.reserve(call.tokens, call.cost_nano)
    return held if isinstance(held, Shortage) else None


def _shortage(
    placed: Placed[Agent],
    agent: CompiledAgent,
    calls: tuple[_Call, ...],
    call: _Call,
    shortage: Shortage,
    beginning: str,
    severity: Severity,
) -> Diagnostic:
    """The finding about `call`; its hint names a limit that all `calls` fit into."""
    budget = new_budget(agent, Spent())
    if shortage.limit == "tokens":
        key, needs = "maxTokens", f"{call.tokens} tokens ({call.prompt_tokens} of prompt)"
        left = str(shortage.left)
        wanted = str(budget.reserve_tokens + sum(each.tokens for each in calls))
    else:
        key = "maxCostUsd"
        needs, left = dollars(call.cost_nano, shortage.left)
        total = budget.reserve_cost_nano + sum(each.cost_nano for each in calls)
        wanted = dollars(total)[0].removeprefix("$")
    return placed.finding(
        "ILK-C015" if severity == "error" else "ILK-C031",
        f"{beginning} may need {needs}, and limits.{key} leaves {left} beside reserveForFinal",
        ("limits", key),
        hint=f"set limits.{key} to {wanted} at least, or lower maxTokens of the model",
        severity=severity,
    )


def _prove_reserve(
    placed: Placed[Agent], agent: CompiledAgent, prompt: Prompt
) -> Iterator[Diagnostic]:
    limits = agent.spec.limits
    reserve = limits.reserve_for_final
    if limits.on_exhausted != "complete" or not reserve:
        return
    size = len(to_json(prompt.body))
    # Half of the reserve is for the prompt and half for the answer.
    if size > affordable(reserve, None, None).prompt_bytes or reserve < 2 * _LEAST_ANSWER:
        needed = 2 * max(estimate_tokens(size), _LEAST_ANSWER)
        yield placed.finding(
            "ILK-C032",
            f"limits.reserveForFinal is {reserve}, but a last answer needs {needed}, as its prompt"
            f" alone has {estimate_tokens(size)} tokens",
            ("limits", "reserveForFinal"),
            hint=f"set limits.reserveForFinal to {-(-needed // 100) * 100}",
            severity="warning",
        )
