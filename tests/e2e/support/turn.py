"""One turn as everybody saw it, and what must be true of every turn."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from interlock.model.usage import usd
from interlock.turn.ports import LedgerEntry


@dataclass(frozen=True, slots=True)
class Turn:
    """One message and all that came of it."""

    answer: Any
    """What the API answered."""
    stored: Any
    """The turn as the API shows it afterwards."""
    events: list[Any]
    """Its trace, from the API."""
    ledger: tuple[LedgerEntry, ...]
    """What its model calls were charged."""
    requests: list[Any]
    """What the simulator received meanwhile."""
    used: Counter[str]
    """The tokens that the simulator says it used meanwhile."""

    @property
    def ending(self) -> tuple[str, str]:
        """Outcome and reason."""
        return self.answer["outcome"], self.answer["reason"]

    @property
    def reply(self) -> str:
        """What the customer reads."""
        return str(self.answer["reply"])

    @property
    def prompts(self) -> list[Any]:
        """The bodies of the requests that the simulator received."""
        return [request["body"] for request in self.requests]

    @property
    def rules(self) -> list[str]:
        """The simulator's rules that answered."""
        return [request["rule"] for request in self.requests]

    @property
    def failures(self) -> list[Any]:
        """The model calls that failed, as the trace has them."""
        return [data for data in self.of("model_call") if "failure" in data]

    def of(self, kind: str) -> list[Any]:
        """What the trace says of one kind of event."""
        return [event["data"] for event in self.events if event["type"] == kind]

    def results(self, tool: str | None = None) -> list[Any]:
        """The tool results, all or those of one tool."""
        return [data for data in self.of("tool_result") if tool in (None, data["tool"])]


def prompt_text(prompt: Any) -> str:
    """The text at the end of a request: of its last message, tool results included."""
    blocks = prompt["messages"][-1]["content"]
    return "\n".join(block.get("text") or block.get("content") or "" for block in blocks)


_DOCS = Path(__file__).parents[3] / "docs"

_KEYS = {
    "guardrail": {"stage", "verdict", "guardrail", "rule", "message", "tool"},
    "plan": {"steps", "invalid"},
    "tool_call": {"id", "tool", "input"},
    "tool_result": {
        *("id", "tool", "status", "data", "message", "retryable", "effect", "cut", "attempts"),
        "latencyMs",
    },
    "model_call": {
        *("route", "attempt", "tools", "promptBytes", "reservedTokens", "reminded", "usage"),
        *("stopReason", "requestId", "failure", "message", "status", "maybeBilled"),
        "retryInSeconds",
    },
    "observation": {"action", "reason", "detail"},
    "breaker": {"breaker", "limit", "detail"},
    "approval": {"id", "tool", "state"},
    "escalation": {"queue", "reason", "detail", "summary", "lastToolCall"},
    "response": {"outcome", "reason", "reply"},
}
"""What `docs/trace.md` says that `data` may hold."""


@cache
def documented_endings() -> dict[str, str]:
    """The outcomes that `docs/outcomes.md` allows for each reason."""
    endings = {}
    for line in (_DOCS / "outcomes.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        for reason in re.findall(r"`([^`]+)`", cells[1]) if len(cells) == 6 else ():
            endings[reason.partition(":")[0]] = cells[2]
    return endings


def check_books(turn: Turn) -> None:
    """Fails unless the answer, the trace, the ledger and the simulator tell the same story."""
    _check_trace(turn)
    _check_money(turn)
    _check_calls(turn)


def _check_trace(turn: Turn) -> None:
    answer, events = turn.answer, turn.events
    assert answer["reply"]
    for name in ("outcome", "reply", "reason", "iterations", "modelCalls", "toolCalls", "tokens"):
        assert turn.stored[name] == answer[name], name
    assert turn.stored["costUsd"] == answer["costUsd"]
    assert (turn.stored["state"], turn.stored["escalation"]) == ("ended", answer["escalation"])
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert {event["turnId"] for event in events} == {answer["turnId"]}
    assert [event["type"] for event in events].count("response") == 1
    last = events[-1]
    assert last["type"] == "response"
    assert last["data"] == {name: answer[name] for name in ("outcome", "reason", "reply")}
    assert (last["tokens"], Decimal(last["costUsd"])) == (
        answer["tokens"],
        Decimal(answer["costUsd"]),
    )
    iterations = [event["iteration"] for event in events]
    assert iterations == sorted(iterations)
    assert iterations[-1] == answer["iterations"]
    # Every tool call has one result, and nothing else has one.
    calls = [(data["id"], data["tool"]) for data in turn.of("tool_call")]
    assert len(set(calls)) == len(calls) == answer["toolCalls"]
    assert sorted((data["id"], data["tool"]) for data in turn.results()) == sorted(calls)
    assert len(turn.of("escalation")) == (answer["outcome"] == "escalated")
    for event in events:
        assert set(event["data"]) <= _KEYS[event["type"]], event
    assert answer["outcome"] in documented_endings()[answer["reason"].partition(":")[0]]


def _check_money(turn: Turn) -> None:
    calls = [event for event in turn.events if event["type"] == "model_call"]
    tokens = sum(event["tokens"] or 0 for event in calls)
    cost = sum((Decimal(event["costUsd"] or 0) for event in calls), Decimal(0))
    assert len(calls) == turn.answer["modelCalls"]
    assert tokens == turn.answer["tokens"] == sum(entry.usage.total for entry in turn.ledger)
    nano = sum(entry.cost_nano or 0 for entry in turn.ledger)
    assert cost == Decimal(turn.answer["costUsd"]) == usd(nano)
    billed = [event["data"].get("maybeBilled") for event in calls if event["tokens"]]
    # Estimated is what failed and may have been billed, and only that.
    assert [entry.estimated for entry in turn.ledger] == [bool(maybe) for maybe in billed]
    assert all(call["data"].get("maybeBilled") is not True for call in calls if not call["tokens"])
    for event in calls:
        if "usage" in event["data"]:
            assert event["tokens"] <= event["data"]["reservedTokens"]


def _check_calls(turn: Turn) -> None:
    """What the simulator received and used is what was traced and charged."""
    ids = [data.get("requestId") for data in turn.of("model_call")]
    received = [request["request_id"] for request in turn.requests]
    # What is asked side by side may be answered in another order.
    assert sorted(each for each in received if each in ids) == sorted(each for each in ids if each)
    exact = [entry.usage for entry in turn.ledger if not entry.estimated]
    charged = Counter(
        input_tokens=sum(usage.input for usage in exact),
        cache_creation_input_tokens=sum(u.cache_write_5m + u.cache_write_1h for u in exact),
        cache_read_input_tokens=sum(usage.cache_read for usage in exact),
        output_tokens=sum(usage.output for usage in exact),
    )
    if len(exact) == len(turn.ledger):
        assert +charged == +turn.used
    else:
        # Money is never undercounted: an estimate is at least what was used.
        total = sum(entry.usage.total for entry in turn.ledger)
        assert total >= turn.used.total()
