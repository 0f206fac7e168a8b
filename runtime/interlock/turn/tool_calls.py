"""The tool calls of one reply: checked, carried out, and answered, each with one result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import Tool
from interlock.templates import TemplateFault, render_value
from interlock.turn.agent import CompiledTool
from interlock.turn.guard import GuardrailInput, NoJudge, Stage, Violation, first_violation
from interlock.turn.repetition import digest
from interlock.turn.run import Run
from interlock.turn.state import Exchange, ToolCall, TurnState
from interlock.turn.switches import read_switches

__all__ = ["bind_input", "check_input", "run_tool_calls"]

_MOST_PROBLEMS = 5
_LONGEST_INPUT = 100_000
_LEAST_SECONDS = 1.0
"""A mutation that is cut off after less time would leave nobody knowing whether it happened."""


async def run_tool_calls(
    run: Run, calls: Sequence[ToolCall], *, text: str, offered: Sequence[str]
) -> None:
    """Carries out the calls and adds the exchange to the state.

    Reading calls run together; mutations run one at a time, in order, after them. A call that
    was not offered, or whose input is not valid, gets an error as its result, and so does a call
    of what has been switched off meanwhile.
    """
    await read_switches(run)
    results: dict[int, ToolResult] = {}
    reads: list[tuple[int, JsonObject]] = []
    mutations: list[tuple[int, CompiledTool, JsonObject]] = []
    for index, call in enumerate(calls):
        run.trace.emit(
            "tool_call",
            {"id": call.id, "tool": call.name, "input": call.input},
            iteration=run.state.iteration,
        )
        prepared = await _prepare(run, call, offered)
        if isinstance(prepared, ToolResult):
            results[index] = prepared
            continue
        tool, arguments = prepared
        if tool.spec.category == "escalation":
            run.state.handover = call.input
            results[index] = ToolResult("success", {"handedOver": True})
        elif tool.spec.is_mutation:
            mutations.append((index, tool, arguments))
        else:
            reads.append((index, _args(run, tool, arguments)))
    if reads:
        batch = {"calls": [args for _, args in reads], "session": run.request.session}
        answers = (await run.ctx.step("tool_calls", batch))["results"]
        for (index, _), answer in zip(reads, answers, strict=True):
            results[index] = ToolResult.from_json(answer)
    for index, tool, arguments in mutations:
        if run.seconds_left() < min(_LEAST_SECONDS, tool.timeout_seconds):
            results[index] = ToolResult.error("no time was left for it: nothing was changed")
            continue
        await read_switches(run)
        off = _switched_off(run, tool.spec.name)
        if off is not None:
            results[index] = off
            continue
        key = _action_key(run, tool, arguments, index)
        args = {"call": _args(run, tool, arguments), "session": run.request.session}
        results[index] = ToolResult.from_json(await run.ctx.mutate(key, args))
    await _record(run, calls, text, [results[index] for index in range(len(calls))])


def check_input(tool: CompiledTool, arguments: JsonObject) -> str | None:
    """What is wrong with a tool's input, in words that the model can act on."""
    if len(to_json(arguments)) > _LONGEST_INPUT:
        return f"the input is larger than {_LONGEST_INPUT} bytes"
    problems = []
    for error in tool.validator.iter_errors(arguments):
        where = error.json_path.removeprefix("$.").removeprefix("$")
        problems.append(f"{where}: {error.message}" if where else error.message)
        if len(problems) == _MOST_PROBLEMS:
            break
    return "; ".join(problems) or None


def bind_input(tool: CompiledTool, arguments: JsonObject, session: JsonObject) -> JsonObject:
    """The input with the bound values. Raises `TemplateFault` when a claim is missing."""
    context = {"session": session}
    bound = {name: render_value(text, context) for name, text in tool.bind.items()}
    return {**arguments, **bound}


async def _prepare(
    run: Run, call: ToolCall, offered: Sequence[str]
) -> ToolResult | tuple[CompiledTool, JsonObject]:
    if call.name not in offered:
        names = ", ".join(offered) or "none"
        return ToolResult.error(f"'{call.name}' cannot be called in this step; offered: {names}")
    off = _switched_off(run, call.name)
    if off is not None:
        return off
    tool = run.agent.tools[call.name]
    problem = check_input(tool, call.input)
    if problem is not None:
        return ToolResult.error(f"the input is not valid: {problem}")
    violation = await _judge(run, "tool_call", call.name, to_json(call.input).decode())
    if violation is not None:
        return ToolResult.error(f"refused by {violation.guardrail}: {violation.message}")
    try:
        return tool, bind_input(tool, call.input, run.request.session)
    except TemplateFault as fault:
        return ToolResult.error(
            f"'{call.name}' cannot be used in this conversation: {fault.message}"
        )


def _switched_off(run: Run, tool: str) -> ToolResult | None:
    """The answer to a call that an operator has forbidden; the reason is not for the model."""
    if not run.state.agent_off and tool not in run.state.tools_off:
        return None
    return ToolResult.error(f"'{tool}' is switched off for now: nothing was done; do not retry")


async def _judge(run: Run, stage: Stage, tool: str, text: str) -> Violation | None:
    guards = run.agent.guards
    guardrails = guards.tool_call if stage == "tool_call" else guards.tool_result
    if not guardrails:
        return None
    violation = await first_violation(guardrails, GuardrailInput(stage, text, tool), NoJudge())
    if violation is not None:
        data: JsonObject = {"stage": stage, "tool": tool, "guardrail": violation.guardrail}
        data |= {"verdict": "deny", "message": violation.message}
        run.trace.emit("guardrail", data, iteration=run.state.iteration)
    return violation


def _args(run: Run, tool: CompiledTool, arguments: JsonObject) -> JsonObject:
    seconds = max(0.001, min(tool.timeout_seconds, run.seconds_left()))
    return {"tool": tool.spec.name, "input": arguments, "timeoutSeconds": seconds}


def _action_key(run: Run, tool: CompiledTool, arguments: JsonObject, index: int) -> str:
    """Names what the action IS, so that asking for it twice does it once.

    Without a declared idempotency two equal calls are two actions, as the tool's author left it.
    """
    declared = tool.spec.idempotency
    if declared is None:
        place = f"{run.request.turn_id}:{run.state.iteration}:{index}"
        return f"{tool.spec.name}:{place}"
    asked = {name: arguments.get(name) for name in declared.key} if declared.key else arguments
    return f"{tool.spec.name}:{digest([run.request.conversation_id, tool.spec.name, asked])}"


async def _record(
    run: Run, calls: Sequence[ToolCall], text: str, results: list[ToolResult]
) -> None:
    state = run.state
    for index, (call, result) in enumerate(zip(calls, results, strict=True)):
        content = to_json(result.for_model()).decode()
        violation = await _judge(run, "tool_result", call.name, content)
        if violation is not None:
            message = f"withheld by {violation.guardrail}: {violation.message}"
            results[index] = replace(result, status="error", data=None, message=message, cut=())
            result = results[index]
        if result.breaker is not None:
            run.trace.emit("breaker", result.breaker, iteration=state.iteration)
            results[index] = result = replace(result, breaker=None)
        run.trace.emit(
            "tool_result",
            {"id": call.id, "tool": call.name, **result.to_json()},
            iteration=state.iteration,
            latency_ms=result.latency_ms,
        )
        tool = run.agent.tools.get(call.name)
        if tool is not None and tool.spec.category != "escalation":
            _learn(state, tool.spec, call, result)
    _note_failures(run, calls, results)
    failed = all(result.status == "error" for result in results)
    state.failed_iterations = state.failed_iterations + 1 if failed else 0
    state.tool_calls += len(calls)
    state.exchanges.append(Exchange(text, tuple(calls), tuple(results)))


def _learn(state: TurnState, tool: Tool, call: ToolCall, result: ToolResult) -> None:
    loop = state.repetition.record(tool, call.input, result)
    state.loop = state.loop or loop
    if result.effect == "unknown":
        state.unknown_effect = tool.name
    if tool.is_mutation and (result.attempts or result.effect == "applied"):
        state.mutation_attempted = True


def _note_failures(run: Run, calls: Sequence[ToolCall], results: Sequence[ToolResult]) -> None:
    """Keeps the tools whose last calls failed; of calls made at once, each has to succeed."""
    called, failed = set(), set()
    for call, result in zip(calls, results, strict=True):
        tool = run.agent.tools.get(call.name)
        if tool is None or tool.spec.category == "escalation":
            continue
        called.add(call.name)
        # A mutation that was turned down for good has its answer; a look-up without one has not.
        if result.status == "error" and (result.retryable or not tool.spec.is_mutation):
            failed.add(call.name)
    run.state.open_failures = (run.state.open_failures - called) | failed
