"""An hour that costs far more than usual: new conversations wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from interlock.model.base import NANO
from interlock.store.store import Store
from tests.e2e.breakers.project import RULES, breaker, project, try_to_send
from tests.e2e.breakers.webhook import Webhook
from tests.e2e.support.project import write_project
from tests.e2e.support.service import STORE
from tests.e2e.support.stack import run_stack
from tests.unit.store.samples import cost, new_conversation

NAME = "costSpike"


async def test_a_cost_spike_pauses_new_conversations(tmp_path: Path, webhook: Webhook) -> None:
    source = project("breakers: {costSpike: {minUsd: 0.0001}}", webhook)
    # The ledger of a service that has hardly been used in the last eight hours.
    folder = write_project(source, tmp_path / "project")
    async with await Store.open(STORE, project=folder) as store:
        made, now = await new_conversation(store), datetime.now(UTC)
        for hour in range(1, 9):
            at = now - timedelta(hours=hour, minutes=30)
            store.record_cost(cost("turn_1", made.id, cost_nano=NANO // 10_000, time=at))
    async with run_stack(source, RULES, tmp_path) as stack:
        first = await stack.service.open()
        await stack.service.send(first, "hello")
        found = await breaker(stack, NAME)
        assert found["state"] == "open"
        assert found["counts"]["usualHourUsd"] == "0.0001"
        assert "an hour usually costs" in (await webhook.next(NAME))["summary"]
        status, document, retry = await try_to_send(stack, await stack.service.open(), "hello")
        assert (status, document["code"], retry) == (503, "paused", "60")
        assert (await try_to_send(stack, first, "hello again"))[0] == 200
        path = f"/v1/breakers/{NAME}/reset"
        assert (await stack.service.post(path, {"why": "a campaign"}))[0] == 200
        assert (await try_to_send(stack, await stack.service.open(), "hello"))[0] == 200
        assert (await webhook.next(NAME))["state"] == "resolved"
