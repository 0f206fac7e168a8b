"""A service that is killed in the middle of a change: the change still happens once."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.service.running import get, process, send, until
from tests.e2e.support.project import ACTIONS, PLANS, small_project, write_project
from tests.e2e.support.shop import effects, idempotency_keys, run_shop
from tests.e2e.support.simulator import run_simulator


async def test_a_change_that_was_under_way_is_not_made_again_by_the_next_service(
    tmp_path: Path,
) -> None:
    project = write_project(small_project(), tmp_path / "project")
    async with AsyncExitStack() as running:
        shop = await running.enter_async_context(run_shop(tmp_path / "shop.sqlite"))
        sim = await running.enter_async_context(run_simulator(PLANS + ACTIONS))
        environment = {"SHOP_URL": shop.url, "INTERLOCK_MODEL_URL": sim.url}
        await shop.arm("returns", kind="hang", after_effect=True)
        async with (
            process(project, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            opened = {"agent": "support", "customerId": "CUST-1001"}
            async with client.post("/v1/conversations", json=opened) as answer:
                conversation = (await answer.json())["id"]
            path = f"/v1/conversations/{conversation}"
            sending = asyncio.create_task(send(client, conversation, "return it"))

            async def is_made_and_charged() -> bool:
                # What stands before the tool call in the trace was written before it.
                turns = (await get(client, path))["turns"]
                if not turns or not await effects(shop):
                    return False
                trace = await get(client, f"/v1/turns/{turns[0]['id']}/trace")
                return any(event["type"] == "tool_call" for event in trace["events"])

            await until(is_made_and_charged)
            before = await get(client, path)
            service.send(signal.SIGKILL)
            with pytest.raises(aiohttp.ClientError):
                await sending
            assert await service.exit_status() == -signal.SIGKILL
        await shop.send("DELETE", "/faults")
        async with (
            process(project, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            after = await get(client, path)
            (turn,) = after["turns"]
            assert (turn["outcome"], turn["reason"]) == ("failed", "interrupted")
            # What the models had used by then is not forgotten.
            assert after["tokens"] == before["tokens"] == turn["tokens"] > 0
            status, again = await send(client, conversation, "return it")
            assert (status, again["outcome"]) == (200, "resolved")
            trace = await get(client, f"/v1/turns/{again['turnId']}/trace")
            (made,) = [event["data"] for event in trace["events"] if event["type"] == "tool_result"]
            assert (made["status"], made["effect"]) == ("success", "applied")
            assert made["data"]["id"] == "RET-5002"
        assert await effects(shop) == {"returns": 1}
        assert len(await idempotency_keys(tmp_path / "shop.sqlite")) == 1
