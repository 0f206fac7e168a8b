"""Values for the store's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from interlock.ids import new_id
from interlock.model.event import TraceEvent
from interlock.model.turn import TurnRequest, TurnResult
from interlock.model.usage import Usage
from interlock.store.records import Conversation
from interlock.store.store import Store
from interlock.turn.ports import LedgerEntry

DIGEST = "d" * 64
TIME = datetime(2026, 11, 22, 10, 30, 0, 123456, tzinfo=UTC)


async def new_conversation(store: Store, *, customer_id: str | None = "cust_1") -> Conversation:
    """A conversation, with the snapshot that its turns name."""
    await store.save_snapshot(DIGEST, {"interlock.yaml": b"providers: {}\n"})
    return await store.create_conversation(
        agent="support", customer_id=customer_id, session={"tier": "gold"}
    )


def request(conversation_id: str, **changes: Any) -> TurnRequest:
    """A customer's message."""
    values: dict[str, Any] = {
        "turn_id": new_id("turn"),
        "conversation_id": conversation_id,
        "customer_id": "cust_1",
        "session": {},
        "text": "Where is ORD-1?",
    }
    return TurnRequest(**values | changes)


def result(**changes: Any) -> TurnResult:
    """An ordinary end of a turn."""
    values: dict[str, Any] = {
        "outcome": "resolved",
        "reply": "It is on its way.",
        "reason": "end_turn",
        "iterations": 2,
        "model_calls": 3,
        "tool_calls": 1,
        "tokens": 1600,
        "cost_nano": 5000,
        "unpriced_calls": 0,
    }
    return TurnResult(**values | changes)


def trace_event(turn_id: str, sequence: int, **changes: Any) -> TraceEvent:
    """A trace event."""
    values: dict[str, Any] = {
        "turn_id": turn_id,
        "sequence": sequence,
        "type": "tool_call",
        "time": TIME,
        "conversation_id": "conv_1",
        "customer_id": "cust_1",
        "agent": "support",
        "snapshot": DIGEST,
        "iteration": 1,
        "latency_ms": 12.5,
        "model": "claude-haiku",
        "tokens": 1500,
        "cost_nano": 4000,
        "data": {"tool": "get_order_status", "input": {"order_id": "ORD-1"}},
    }
    return TraceEvent(**values | changes)


def cost(turn_id: str, conversation_id: str, **changes: Any) -> LedgerEntry:
    """A ledger entry of 1600 tokens and 5000 nano-dollars."""
    values: dict[str, Any] = {
        "turn_id": turn_id,
        "conversation_id": conversation_id,
        "customer_id": "cust_1",
        "agent": "support",
        "route": "execute",
        "provider": "anthropic",
        "model": "claude-haiku",
        "usage": Usage(input=1000, cache_write_5m=50, cache_read=450, output=100),
        "cost_nano": 5000,
        "estimated": False,
        "time": TIME,
    }
    return LedgerEntry(**values | changes)
