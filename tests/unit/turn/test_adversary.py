"""No model, however it behaves, makes a turn pass its limits or go on for ever."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.turn import Outcome, Spent
from interlock.model.usage import Usage
from interlock.turn.agent import CompiledAgent
from interlock.turn.ports import ModelFailure, ModelReply
from tests.unit.turn.scripted import (
    SETTINGS,
    Saying,
    ScriptedCtx,
    asking,
    calls,
    compiled,
    fails,
    guards_of,
    plans,
    play,
    reply,
    says,
    step,
)

SMALL = SETTINGS.replace("maxTokens: 1000", "maxTokens: 400")
GUARDS = guards_of(input=(Saying("never said"),), output=(Saying("secret"),))
FAST = "fastPaths: [{name: s, match: {patterns: [order]}, call: {tool: list_orders}}]"
AGENTS = [
    compiled("limits: {maxIterations: 4, maxTokens: 9000, maxCostUsd: 0.05}", settings=SMALL),
    compiled(
        "limits: {maxIterations: 30, maxTokens: 15000, onExhausted: escalate}\n"
        "planner: {replan: onChange}",
        settings=SMALL,
        guards=GUARDS,
    ),
    compiled(f"limits: {{maxIterations: 1, maxCostUsd: 0.01}}\n{FAST}", settings=SMALL),
    compiled(
        f"limits: {{maxIterations: 8, turnTimeout: 15s, maxCostUsd: 0.03}}\n{FAST}",
        settings=SMALL,
        guards=GUARDS,
    ),
    compiled(
        "limits: {maxIterations: 60, maxTokens: 60000, reserveForFinal: 0, warnAt: 0.3}\n"
        "breakers: {repetition: {identicalCalls: 99, sameResult: 99, polls: 99},"
        " toolFailures: {consecutive: 99}}",
        settings=SMALL,
    ),
]

ORDER = {"order_id": "ORD-1"}
MOVES: dict[str, ModelReply | ModelFailure] = {
    "plan": plans("gather_info", "respond"),
    "plan to act": plans("take_action", step("gather_info", priority="optional", hard=True)),
    "plan to escalate": plans("escalate"),
    "no plan": says('{"steps": "none"}'),
    "look up": calls(("get_order", ORDER)),
    "look up more": calls(("get_order", ORDER), ("list_orders", {"page": 1}), text="Hm."),
    "act": calls(("create_return", ORDER), ("add_note", {"note": "x" * 500})),
    "call a person": calls(("call_a_person", {})),
    "made up tool": calls(("\ud800 no such tool!", {"a": ["\udfff"]})),
    "bad input": calls(("get_order", {"order_id": 7}), ("get_order", {"customer_id": "X"})),
    "answer": says("Here you are."),
    "long answer": says("word " * 2000),
    "secret": says("a secret"),
    "half a character": says("\ud83d"),
    "empty": says(""),
    "odd blocks": reply([{"type": "text"}, {"type": "odd", "text": 3}, {}]),
    "cut off": says("I was ab", "max_tokens"),
    "cut off at once": says("", "max_tokens"),
    "refusal": says("", "refusal"),
    "pause": reply([], "pause_turn"),
    "overflow": reply([], "model_context_window_exceeded"),
    "unknown stop": says("Hm.", "bored"),
    "no stop": says("Hm.", None),
    "overloaded": fails("overloaded"),
    "rejected": fails("rejected", status=400),
    "lost": fails("timeout", status=None, maybe_billed=True),
    "malformed": fails("malformed", status=200, maybe_billed=True),
    "slow down": fails("rate_limit", status=429, retry_after=7.0),
}
RESULTS = [
    ToolResult("success", {"state": "sent"}, attempts=1, latency_ms=400.0),
    ToolResult("success", "y" * 3000, cut=("all",), attempts=2),
    ToolResult("not_found", attempts=1),
    ToolResult("error", message="down", retryable=True, attempts=1, latency_ms=2500.0),
    ToolResult("error", message="unknown", effect="unknown", attempts=1),
]


class Adversary:
    """Makes its moves in turn and uses whatever share it likes of what it may."""

    def __init__(
        self, moves: Sequence[str], outputs: Sequence[float], density: float, cached: int
    ) -> None:
        self.moves = itertools.cycle(moves)
        self.outputs = itertools.cycle(outputs)
        self.density = density
        self.cached = cached
        self.pauses = itertools.count()

    def __call__(self, body: JsonObject) -> ModelReply | ModelFailure:
        move = MOVES[next(self.moves)]
        if isinstance(move, ModelFailure):
            return move
        content = move.content
        if move.stop_reason == "pause_turn":
            block = {"type": "server_tool_use", "name": "web_search", "input": {}}
            content = [{**block, "id": f"srvtoolu_{next(self.pauses)}"}]
        share = next(self.outputs)
        prompt = int(len(to_json(body)) * self.density)
        cached = prompt * self.cached // 4
        usage = Usage(
            input=prompt - cached,
            cache_read=cached if self.cached % 2 else 0,
            cache_write_1h=0 if self.cached % 2 else cached,
            output=int(body["max_tokens"] * share),
        )
        return reply(content, move.stop_reason, usage=usage, seconds=share * 2)


shares = st.sampled_from([0.0, 0.1, 0.5, 1.0])


@settings(max_examples=200, deadline=None)
@given(
    agent=st.sampled_from(AGENTS),
    moves=st.lists(st.sampled_from(sorted(MOVES)), min_size=1, max_size=12),
    outputs=st.lists(shares, min_size=1, max_size=5),
    density=st.sampled_from([0.0, 0.2, 1 / 3]),
    cached=st.integers(min_value=0, max_value=4),
    results=st.lists(st.sampled_from(RESULTS), min_size=1, max_size=5),
    spent=shares,
)
def test_no_model_makes_a_turn_pass_its_limits(
    agent: CompiledAgent,
    moves: list[str],
    outputs: list[float],
    density: float,
    cached: int,
    results: list[ToolResult],
    spent: float,
) -> None:
    most_tokens, most_cost = agent.spec.limits.max_tokens, agent.spec.max_cost_nano
    before = Spent(int(most_tokens * spent), int((most_cost or 0) * spent))
    coming = itertools.cycle(results)
    ctx = ScriptedCtx(
        Adversary(moves, outputs, density, cached),
        dict.fromkeys(agent.tools, lambda _: next(coming)),
    )

    result = asyncio.run(play(ctx, agent, asking("Where is my order?", spent=before)))

    assert result.outcome in get_args(Outcome)
    assert result.reason != "internal_error"
    assert result.iterations <= agent.spec.limits.max_iterations
    assert before.tokens + result.tokens <= most_tokens
    if most_cost is not None:
        assert before.cost_nano + result.cost_nano <= most_cost
    assert "secret" not in result.reply or agent.guards.output == ()
    result.reply.encode()
