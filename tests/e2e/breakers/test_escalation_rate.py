"""A quarter of all conversations ends with a person: fewer are admitted, and operators told."""

from __future__ import annotations

from pathlib import Path

from interlock.breakers.admission import is_admitted
from tests.e2e.breakers.project import RULES, breaker, metrics, project, try_to_send
from tests.e2e.breakers.webhook import Webhook
from tests.e2e.support.stack import run_stack

NAME = "escalationRate"


async def test_25_percent_escalations_halve_admission_and_alert(
    tmp_path: Path, webhook: Webhook
) -> None:
    source = project(
        "breakers: {escalationRate: {minConversations: 20, recoverEvery: 1h}}", webhook
    )
    async with run_stack(source, RULES, tmp_path) as stack:
        first = await stack.service.open()
        for number in range(20):
            conversation = first if number == 0 else await stack.service.open()
            text = "person, please" if number % 4 == 3 else "hello"
            answer = await stack.service.send(conversation, text)
            assert (answer["outcome"] == "escalated") == (number % 4 == 3)
        found = await breaker(stack, NAME)
        assert found["state"] == "open"
        assert found["counts"]["admittedShare"] == 0.5
        alert = await webhook.next(NAME)
        assert "5 of 20 conversations were escalated" in alert["summary"]
        assert (await metrics(stack))["interlock_admitted_share"] == 0.5

        # New ones are admitted by their id, and always answered alike.
        statuses = set()
        for _ in range(12):
            conversation = await stack.service.open()
            for _ in range(2):
                status, document, retry = await try_to_send(stack, conversation, "hello")
                assert (status == 200) == is_admitted(conversation, 0.5)
                statuses.add(status)
                if status != 200:
                    assert (status, document["code"]) == (503, "paused")
                    assert "escalation" not in document["detail"]
                    assert 0 < int(retry or 0) <= 3600
        assert statuses == {200, 503}
        # A conversation that has begun goes on.
        assert (await try_to_send(stack, first, "hello"))[0] == 200

        path = f"/v1/breakers/{NAME}/reset"
        status, reset = await stack.service.post(path, {"why": "more people came"})
        assert (status, reset["state"], reset["counts"]["admittedShare"]) == (200, "closed", 1.0)
        assert (await webhook.next(NAME))["state"] == "resolved"
        for _ in range(8):
            assert (await try_to_send(stack, await stack.service.open(), "hello"))[0] == 200
