"""A model server that has too much to do is left alone by the whole service."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.breakers.project import RULES, breaker, project
from tests.e2e.breakers.webhook import Webhook
from tests.e2e.support.stack import run_stack

NAME = "provider.anthropic"
BUSY = """
  - name: too busy
    when: {user: '^busy'}
    error: {status: 429, retryAfter: 1000}
"""


async def test_a_429_is_heeded_by_every_turn(tmp_path: Path, webhook: Webhook) -> None:
    source = project("breakers: {provider: {maxOpenFor: 1h}}", webhook)
    async with run_stack(source, BUSY + RULES, tmp_path) as stack:
        turn = await stack.ask("busy")
        assert turn.ending == ("failed", "model_rate_limit")
        found = await breaker(stack, NAME)
        assert (found["state"], found["why"]) == ("open", "it asks to wait 1000 s")
        assert (await webhook.next(NAME))["state"] == "firing"
        before = (await stack.sim.stats())["requests"]
        opened = [await stack.service.open() for _ in range(5)]
        answers = await asyncio.gather(*(stack.service.send(each, "hello") for each in opened))
        assert {(each["outcome"], each["reason"]) for each in answers} == {
            ("failed", "model_overloaded")
        }
        assert (await stack.sim.stats())["requests"] == before
        path = f"/v1/breakers/{NAME}/reset"
        assert (await stack.service.post(path, {"why": "the quota was raised"}))[0] == 200
        assert (await stack.ask("hello")).ending == ("resolved", "end_turn")
        assert (await webhook.next(NAME))["state"] == "resolved"
