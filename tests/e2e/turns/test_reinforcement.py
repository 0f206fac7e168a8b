"""Reminders come when they are due and at the end, and what comes first never changes."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.stack import Stack, run_stack
from tests.e2e.support.turn import prompt_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

REMINDER = "<reminder>"


def texts(prompt: Any) -> list[str]:
    """All text blocks of the messages, in order."""
    blocks = [block for message in prompt["messages"] for block in message["content"]]
    return [block["text"] for block in blocks if block["type"] == "text"]


def reminders(prompt: Any) -> list[str]:
    """The reminders in a prompt, which all have to stand at its very end."""
    found = [text for text in texts(prompt) if REMINDER in text]
    last = [block.get("text") for block in prompt["messages"][-1]["content"]]
    assert last[len(last) - len(found) :] == found
    return found


def step_of(prompt: Any) -> str:
    """The type of the step that the prompt asks for; `plan` and `scope` for what has a format."""
    if "format" in prompt.get("output_config", {}):
        return str(prompt["output_config"]["format"]["schema"]["title"]).lower()
    return prompt_text(prompt).split('<current_step type="')[1].split('"')[0]


async def test_twenty_messages_are_reminded_when_due_on_an_unchanging_prefix(
    shipped: Stack,
) -> None:
    conversation = await shipped.service.open()
    turns = [await shipped.say(conversation, "What is in ORD-1003?") for _ in range(10)]
    assert {turn.ending for turn in turns} == {("resolved", "end_turn")}
    shown = await shipped.service.get(f"/v1/conversations/{conversation}")
    assert len(shown["messages"]) == 20

    # The 8th and the 16th message are passed in the middle of the 4th and the 8th turn, and lie
    # just behind the customer's message of the 5th and the 9th.
    reminded = [
        (number, step_of(prompt), len(prompt["messages"]))
        for number, turn in enumerate(turns, 1)
        for prompt in turn.prompts
        if reminders(prompt)
    ]
    assert reminded == [
        (4, "respond", 9),
        (5, "gather_info", 9),
        (8, "respond", 17),
        (9, "gather_info", 17),
    ]
    traced = [
        (number, bool(data.get("reminded")))
        for number, turn in enumerate(turns, 1)
        for data in turn.of("model_call")
    ]
    assert [number for number, due in traced if due] == [4, 5, 8, 9]

    prefixes = defaultdict(set)
    cached = defaultdict(list)
    for turn in turns:
        calls = {data["requestId"]: data for data in turn.of("model_call")}
        for request in turn.requests:
            prompt, data = request["body"], calls[request["request_id"]]
            prefix = json.dumps([prompt.get("tools"), prompt["system"]])
            prefixes[step_of(prompt)].add(prefix)
            cached[step_of(prompt)].append(data["usage"]["cacheRead"])
    assert {step: len(seen) for step, seen in prefixes.items()} == {
        "scope": 1,
        "plan": 1,
        "gather_info": 1,
        "respond": 1,
    }
    # The simulator's cache takes only what is the same to the byte.
    for step in ("plan", "gather_info"):
        first, *others = cached[step]
        assert first == 0
        assert len(set(others)) == 1
        assert others[0] > 500


async def test_a_reminder_is_due_whenever_its_number_of_messages_was_passed(
    tmp_path: Path,
) -> None:
    intervals = {f"every-{every}": every for every in (1, 2, 3, 5, 8)}
    agents = {
        name: f"reinforcement: [{{every: {every}, text: Stay with the facts.}}]"
        for name, every in intervals.items()
    }
    # Some turns use a tool, which adds messages within the turn.
    messages = ["hello", "look", "hello", "look", "look", "hello", "hello", "look"]
    async with run_stack(small_project(agents), PLANS + ACTIONS, tmp_path) as stack:
        for name, every in intervals.items():
            conversation = await stack.service.open(name)
            turns = [await stack.say(conversation, text) for text in messages]
            asked = [prompt for turn in turns for prompt in turn.prompts]
            prompts = [prompt for prompt in asked if step_of(prompt) != "plan"]
            assert len(prompts) == 12
            for prompt in prompts:
                count = len(prompt["messages"])
                newest = range(max(1, count - 1), count + 1)
                due = any(number % every == 0 for number in newest)
                assert bool(reminders(prompt)) is due, (name, count)


async def test_reminders_with_intervals_of_their_own_are_templates_too(tmp_path: Path) -> None:
    agent = """
reinforcement:
  - {every: 1, text: 'You are {{ agent.name }}.'}
  - {every: 3, text: 'The customer is {{ session.customerId }}.'}
"""
    async with run_stack(small_project(agent), PLANS + ACTIONS, tmp_path) as stack:
        conversation = await stack.service.open(customer="CUST-1002")
        first, second = [await stack.say(conversation, "hello") for _ in range(2)]
    always = "<reminder>\nYou are support.\n</reminder>"
    assert reminders(first.prompts[-1]) == [always]
    assert reminders(second.prompts[-1]) == [
        always,
        "<reminder>\nThe customer is CUST-1002.\n</reminder>",
    ]
