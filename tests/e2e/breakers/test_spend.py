"""Money that is spent is not spent again: caps and spikes pause what would cost more."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from interlock.model.usage import usd
from tests.e2e.breakers.project import RULES, breaker, project, try_to_send
from tests.e2e.breakers.webhook import Webhook
from tests.e2e.support.stack import run_stack

CAP = Decimal("0.05")


async def test_no_number_of_concurrent_turns_passes_the_cap(
    tmp_path: Path, webhook: Webhook
) -> None:
    async with run_stack(
        project(f"spend: {{perHourUsd: {CAP}}}", webhook), RULES, tmp_path
    ) as stack:
        conversations = [await stack.service.open() for _ in range(40)]
        answers = await asyncio.gather(
            *(try_to_send(stack, conversation, "hello") for conversation in conversations)
        )
        statuses = [status for status, _, _ in answers]
        assert set(statuses) <= {200, 503}
        spent = 0
        for conversation in conversations:
            spent += sum(
                entry.cost_nano or 0 for entry in await stack.service.store.ledger(conversation)
            )
        assert 0 < usd(spent) <= CAP
        stopped = [
            answer for status, answer, _ in answers if status == 200 and answer["reason"] == "spend"
        ]
        assert stopped
        trace = await stack.service.get(f"/v1/turns/{stopped[0]['turnId']}/trace")
        events = [event["data"] for event in trace["events"] if event["type"] == "breaker"]
        assert events[0]["limit"] == "spend.perHourUsd"
        assert "raise it" in events[0]["detail"]
        alert = await webhook.next("spend.perHourUsd")
        assert alert["state"] == "firing"


async def test_at_a_customers_cap_that_customer_waits_and_no_other(
    tmp_path: Path, webhook: Webhook
) -> None:
    source = project("spend: {perCustomerPerHourUsd: 0.02}", webhook)
    async with run_stack(source, RULES, tmp_path) as stack:
        first = await stack.service.open(customer="CUST-1001")
        for _ in range(40):
            status, document, retry = await try_to_send(stack, first, "hello")
            if status != 200:
                break
        assert (status, document["code"]) == (429, "paused")
        assert "CUST" not in document["detail"]
        # Who asks for progress is told by the status, too.
        path = f"/v1/conversations/{first}/messages"
        headers = {"accept": "text/event-stream"}
        async with stack.service.client.post(path, json={"text": "hi"}, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (429, "application/problem+json")
        assert 0 < int(retry or 0) <= 3700
        other = await stack.service.open(customer="CUST-1002")
        assert (await try_to_send(stack, other, "hello"))[0] == 200
        assert "CUST-1001" in (await webhook.next("spend.perCustomerPerHourUsd"))["summary"]


async def test_a_cap_survives_a_restart_and_raising_it_takes_effect_by_a_reload(
    tmp_path: Path, webhook: Webhook
) -> None:
    source = project("spend: {perHourUsd: 0.02}", webhook)
    async with run_stack(source, RULES, tmp_path) as stack:
        conversation = await stack.service.open()
        for _ in range(40):
            status, _, _ = await try_to_send(stack, conversation, "hello")
            if status != 200:
                break
        used = (await breaker(stack, "spend.perHourUsd"))["counts"]["usedUsd"]
    async with run_stack(source, RULES, tmp_path) as stack:
        assert (await breaker(stack, "spend.perHourUsd"))["counts"]["usedUsd"] == used
        assert (await try_to_send(stack, conversation, "hello"))[0] == 503
        path = tmp_path / "project" / "interlock.yaml"
        path.write_text(path.read_text().replace("perHourUsd: 0.02", "perHourUsd: 5"))
        assert (await stack.service.post("/v1/config/reload", {}))[0] == 200
        assert (await try_to_send(stack, conversation, "hello"))[0] == 200
        assert (await breaker(stack, "spend.perHourUsd"))["state"] == "closed"
