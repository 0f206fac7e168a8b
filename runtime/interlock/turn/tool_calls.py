"""The tool calls of one reply: checked, carried out, and answered, each with one result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic_core import from_json, to_json

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import Tool
from interlock.model.turn import Resumed
from interlock.templates import TemplateFault, render_value
from interlock.turn.agent import CompiledTool
from interlock.turn.approval import ask_person, needs_approval
from interlock.turn.guard import GuardrailInput
from interlock.turn.guarding import judge, trace_verdict
from interlock.turn.repetition import digest
from interlock.turn.run import Run
from interlock.turn.state import Exchange, ToolCall, TurnState
from interlock.turn.switches import read_switches

__all__ = ["action_key", "bind_input", "check_input", "resume_call", "run_tool_calls"]

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
    made: list[ToolCall] = []
    for index, asked in enumerate(calls):
        call, prepared = await _prepare(run, asked, offered)
        made.append(call)
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
        if run.state.awaiting is not None:
            # Those after it were meant to follow it.
            results[index] = ToolResult.error("an earlier action still waits: nothing was done")
            continue
        place = f"{run.request.turn_id}:{run.state.iteration}:{index}"
        key = action_key(tool.spec, arguments, run.request.conversation_id, place=place)
        if needs_approval(tool.spec.approval, arguments, run.request.session):
            results[index] = await ask_person(
                run, tool, written=made[index].input, arguments=arguments, key=key
            )
            continue
        args = {"call": _args(run, tool, arguments), "session": run.request.session}
        results[index] = ToolResult.from_json(await run.ctx.mutate(key, args))
    await _record(run, made, text, [results[index] for index in range(len(calls))])


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


def action_key(tool: Tool, arguments: JsonObject, conversation_id: str, *, place: str) -> str:
    """Names what the action IS, so that asking for it twice does it once.

    Without a declared idempotency two equal calls are two actions, as the tool's author left it;
    `place` then says which one it is.
    """
    declared = tool.idempotency
    if declared is None:
        return f"{tool.name}:{place}"
    asked = {name: arguments.get(name) for name in declared.key} if declared.key else arguments
    return f"{tool.name}:{digest([conversation_id, tool.name, asked])}"


async def resume_call(run: Run, resumed: Resumed) -> None:
    """Adds a call that an earlier turn waited for, with its result, to the state and the trace."""
    call = ToolCall("toolu_resumed", resumed.tool, resumed.input)
    _trace_call(run, call)
    await _record(run, [call], "", [resumed.result])


async def _prepare(
    run: Run, call: ToolCall, offered: Sequence[str]
) -> tuple[ToolCall, ToolResult | tuple[CompiledTool, JsonObject]]:
    """The call as it is to be made and known, with its tool and input, or with what forbids it."""
    refused = _refuse(run, call, offered)
    if refused is not None:
        _trace_call(run, call)
        return call, refused
    text, session = to_json(call.input).decode(), run.request.session
    data = GuardrailInput("tool_call", text, call.name, arguments=call.input, session=session)
    verdict = await judge(run, run.agent.guards.tool_call, data)
    if verdict.text != text:
        call = replace(call, input=from_json(verdict.text))
    # After the guardrails, as what they take out is not to be kept anywhere.
    _trace_call(run, call)
    trace_verdict(run, verdict)
    for violation in verdict.violations:
        message = f"refused by {violation.guardrail}: {violation.message}"
        return call, ToolResult.error(message)
    tool = run.agent.tools[call.name]
    problem = check_input(tool, call.input) if verdict.text != text else None
    if problem is not None:
        return call, ToolResult.error(f"the redacted input is not valid: {problem}")
    try:
        return call, (tool, bind_input(tool, call.input, run.request.session))
    except TemplateFault as fault:
        message = f"'{call.name}' cannot be used in this conversation: {fault.message}"
        return call, ToolResult.error(message)


def _refuse(run: Run, call: ToolCall, offered: Sequence[str]) -> ToolResult | None:
    """The answer to a call that cannot be made, whatever its guardrails say."""
    if call.name not in offered:
        names = ", ".join(offered) or "none"
        return ToolResult.error(f"'{call.name}' cannot be called in this step; offered: {names}")
    off = _switched_off(run, call.name)
    if off is not None:
        return off
    problem = check_input(run.agent.tools[call.name], call.input)
    return None if problem is None else ToolResult.error(f"the input is not valid: {problem}")


def _trace_call(run: Run, call: ToolCall) -> None:
    run.trace.emit(
        "tool_call",
        {"id": call.id, "tool": call.name, "input": call.input},
        iteration=run.state.iteration,
    )


def _switched_off(run: Run, tool: str) -> ToolResult | None:
    """The answer to a call that an operator has forbidden; the reason is not for the model."""
    if not run.state.agent_off and tool not in run.state.tools_off:
        return None
    return ToolResult.error(f"'{tool}' is switched off for now: nothing was done; do not retry")


async def _judge_result(run: Run, tool: str, result: ToolResult) -> ToolResult:
    """The result as it may be known: redacted, or an error in the place of what is withheld."""
    uses = run.agent.guards.tool_result
    if not uses:
        return result
    text = to_json(result.for_model()).decode()
    data = GuardrailInput("tool_result", text, tool, session=run.request.session)
    verdict = await judge(run, uses, data)
    trace_verdict(run, verdict)
    for violation in verdict.violations:
        message = f"withheld by {violation.guardrail}: {violation.message}"
        return replace(result, status="error", data=None, message=message, cut=())
    if verdict.text == text:
        return result
    left = from_json(verdict.text)
    message = left.get("message")
    return replace(result, data=left.get("data"), message=None if message is None else str(message))


def _args(run: Run, tool: CompiledTool, arguments: JsonObject) -> JsonObject:
    seconds = max(0.001, min(tool.timeout_seconds, run.seconds_left()))
    return {"tool": tool.spec.name, "input": arguments, "timeoutSeconds": seconds}


async def _record(
    run: Run, calls: Sequence[ToolCall], text: str, results: list[ToolResult]
) -> None:
    state = run.state
    for index, call in enumerate(calls):
        result = results[index] = await _judge_result(run, call.name, results[index])
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
