"""Many conversations at once: all are answered, and none hears of another."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.shop import effects
from tests.e2e.support.simulator import used_tokens
from tests.e2e.support.stack import Stack, run_stack

ORDERS = {
    "CUST-1001": "ORD-1001",
    "CUST-1002": "ORD-1010",
    "CUST-1003": "ORD-1021",
    "CUST-1004": "ORD-1030",
}
COUNT = 40

SPEAKING = """
  - name: note what was said
    when: {user: '^note', results: {add_note: '"status":"success"'}, format: none}
    reply: {text: 'Noted: {{ result("add_note").data.note }}'}
  - name: look up the order that was named
    when: {user: '(?P<order>ORD-\\d+)', text: 'Look it up', offered: [get_order]}
    reply: {tools: [{name: get_order, input: {order_id: '{{ match.order }}'}}]}
  - name: say what was found
    when: {user: '(?P<marker>marker-\\d+)', results: {get_order: success}, format: none}
    reply:
      text: >-
        {{ match.marker }}: {{ result("get_order").data.id }} of
        {{ result("get_order").data.customer_id }}
"""
MARKER = re.compile(r"marker-\d+")


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation and the answers to its two messages."""

    id: str
    customer: str
    marker: str
    answers: tuple[Any, Any]


async def talk(stack: Stack, number: int) -> Talk:
    """A customer leaves a note and then asks for an order."""
    customer = list(ORDERS)[number % len(ORDERS)]
    marker = f"marker-{1000 + number}"
    conversation = await stack.service.open(customer=customer)
    first = await stack.service.send(conversation, f"note {marker}")
    second = await stack.service.send(conversation, f"look at {ORDERS[customer]} for {marker}")
    return Talk(conversation, customer, marker, (first, second))


async def test_forty_conversations_at_once_are_answered_and_not_mixed_up(tmp_path: Path) -> None:
    async with run_stack(small_project(), SPEAKING + PLANS + ACTIONS, tmp_path) as stack:
        talks = await asyncio.gather(*(talk(stack, number) for number in range(COUNT)))

        tokens, cost = 0, Decimal(0)
        for each in talks:
            noted, found = each.answers
            assert noted["reply"] == f"Noted: note {each.marker}"
            assert found["reply"] == f"{each.marker}: {ORDERS[each.customer]} of {each.customer}"
            assert {answer["outcome"] for answer in each.answers} == {"resolved"}
            shown = await stack.service.get(f"/v1/conversations/{each.id}")
            assert shown["customerId"] == each.customer
            assert [message["role"] for message in shown["messages"]] == ["customer", "agent"] * 2
            assert {*MARKER.findall(str(shown["messages"]))} == {each.marker}
            assert shown["tokens"] == noted["tokens"] + found["tokens"]
            tokens += shown["tokens"]
            cost += Decimal(shown["costUsd"])
            for answer in each.answers:
                trace = await stack.service.get(f"/v1/turns/{answer['turnId']}/trace")
                assert {event["conversationId"] for event in trace["events"]} == {each.id}
                assert {event["customerId"] for event in trace["events"]} == {each.customer}
                assert {*MARKER.findall(str(trace["events"]))} == {each.marker}

        # The shop has just one note of each, with the right customer.
        assert await effects(stack.shop) == {"notes": COUNT}
        for customer in ORDERS:
            record = (await stack.shop.get(f"/customers/{customer}")).body
            noted = Counter(MARKER.findall(str(record["notes"])))
            assert noted == Counter(each.marker for each in talks if each.customer == customer)

        # No prompt held anything of two conversations, and what was used was charged.
        stats = await stack.sim.stats()
        assert stats["requests"] == sum(
            answer["modelCalls"] for each in talks for answer in each.answers
        )
        assert stats["by_status"] == {"200": stats["requests"]}
        assert used_tokens(stats).total() == tokens
        assert cost == sum(Decimal(answer["costUsd"]) for each in talks for answer in each.answers)
        for request in await stack.sim.last(200):
            assert len({*MARKER.findall(str(request["body"]))}) == 1
        health = await stack.service.get("/v1/health")
        assert (health["status"], health["turnsRunning"]) == ("ok", 0)
