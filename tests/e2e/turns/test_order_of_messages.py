"""Messages of one conversation are answered one after the other, in the order they came in."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

from tests.e2e.service.gate import open_gate
from tests.e2e.service.running import until
from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.stack import run_stack

AT_THE_GATE = """
  - name: wait
    when: {user: '^look and wait', offered: [wait_at_gate], notCalled: [wait_at_gate]}
    reply: {tools: [{name: wait_at_gate}]}
"""

GATE = """
name: wait_at_gate
category: lookup
description: Answers when the gate is opened.
whenToUse: The customer wants to wait.
timeout: 50s
http: {url: '{{ env.GATE_URL }}/gate'}
"""


async def test_messages_that_come_while_a_turn_runs_are_answered_in_order(tmp_path: Path) -> None:
    source = small_project("toolSelection: {max: 6}", tools={"wait_at_gate": GATE})
    texts = ["look and wait", "second", "third", "fourth"]
    async with (
        open_gate() as gate,
        run_stack(
            source,
            AT_THE_GATE + PLANS + ACTIONS,
            tmp_path,
            environment={"GATE_URL": gate.url},
        ) as stack,
    ):
        conversation = await stack.service.open()
        sending = []
        for number, text in enumerate(texts, 1):
            sending.append(asyncio.create_task(stack.service.send(conversation, text)))
            if number == 1:
                await gate.arrived.get()

            async def is_taken(number: int = number) -> bool:
                health = await stack.service.get("/v1/health")
                return bool(health["turnsRunning"] == number)

            await until(is_taken)
        # The others wait, before any model has heard of them.
        assert (await stack.sim.stats())["requests"] == 2
        gate.open()
        answers = await asyncio.gather(*sending)
        shown = await stack.service.get(f"/v1/conversations/{conversation}")
        last = (await stack.sim.last(1))[0]["body"]
    assert [answer["reply"] for answer in answers] == [f"You said: {text}" for text in texts]
    told = [line for text in texts for line in (text, f"You said: {text}")]
    assert [message["text"] for message in shown["messages"]] == told
    turns = shown["turns"]
    assert all(a["endedAt"] <= b["startedAt"] for a, b in pairwise(turns))
    assert sum(turn["tokens"] for turn in turns) == shown["tokens"]
    # The model of the last turn has read the whole conversation, in order.
    read = [message["content"][0]["text"] for message in last["messages"]]
    assert read == told[:-1]
