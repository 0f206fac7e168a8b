"""A change that waits for a person's yes, and what becomes of it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.people.world import (
    RULES,
    do,
    is_done,
    only_approval,
    project,
    read,
    texts,
    until,
    world,
)
from tests.e2e.service.running import process, send
from tests.e2e.support.project import write_project
from tests.e2e.support.shop import effects, idempotency_keys, run_shop
from tests.e2e.support.simulator import run_simulator
from tests.e2e.support.stack import SHOP_DATABASE, Stack

PENDING = "A colleague has to agree to this first. I have asked, and you will hear from us here."
ONE = {"returns": 1}


async def ask_for_return(stack: Stack) -> tuple[str, Any]:
    """The conversation and the approval that its return waits for."""
    conversation = await stack.service.open()
    turn = await stack.say(conversation, "return it")
    assert turn.ending == ("incomplete", "approval_pending")
    assert turn.reply == PENDING
    assert turn.of("approval")[0]["state"] == "pending"
    approval = await only_approval(stack.service.client)
    assert approval["turnId"] == turn.answer["turnId"]
    assert await effects(stack.shop) == {}
    return conversation, approval


async def last_words(stack: Stack, conversation: str) -> str:
    """The agent's newest message."""
    role, text = (await texts(stack.service.client, conversation))[-1]
    assert role == "agent"
    return text


async def test_an_approved_call_is_made_exactly_as_it_was_and_the_customer_hears_of_it(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        conversation, approval = await ask_for_return(stack)
        assert approval["arguments"] == {**approval["input"], "customer_id": "CUST-1001"}
        assert (approval["why"], approval["customerId"]) == ("Look at the goods.", "CUST-1001")
        assert 0 < approval["secondsLeft"] <= 24 * 3600
        status, decided = await do(client, f"/v1/approvals/{approval['id']}/approve")
        assert (status, decided["verdict"]) == (200, "approved")
        done = await is_done(client, approval["id"])
        assert (done["result"]["status"], done["result"]["effect"]) == ("success", "applied")
        assert await effects(stack.shop) == ONE
        assert "RET-5002" in await last_words(stack, conversation)
        # The customer wrote once, and reads two answers.
        assert [role for role, _ in await texts(client, conversation)] == [
            *("customer", "agent", "agent")
        ]
        turns = (await read(client, f"/v1/conversations/{conversation}"))["turns"]
        trace = await read(client, f"/v1/turns/{turns[-1]['id']}/trace")
        assert [event["type"] for event in trace["events"]][:2] == ["tool_call", "tool_result"]
        assert turns[-1]["outcome"] == "resolved"
        # Asking for the same once more does not do it once more, and asks nobody.
        again = await stack.say(conversation, "return it")
        assert again.results("create_return")[0]["status"] == "success"
        assert await effects(stack.shop) == ONE
        await only_approval(client)


async def test_a_call_that_the_condition_does_not_name_is_made_at_once(tmp_path: Path) -> None:
    source = project(approval=None)
    tools = source.files["tools.d/shop.yaml"]
    condition = b"approval: {when: '{{ input.items | length > 5 }}'}\nidempotency: {header:"
    files = {
        **source.files,
        "tools.d/shop.yaml": tools.replace(b"idempotency: {header:", condition),
    }
    async with world(tmp_path, type(source)(files)) as stack:
        turn = await stack.ask("return it")
        assert turn.ending[0] == "resolved"
        assert await effects(stack.shop) == ONE


async def test_an_edited_call_is_checked_and_made_as_edited(tmp_path: Path) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        conversation, approval = await ask_for_return(stack)
        path = f"/v1/approvals/{approval['id']}"
        for wrong in ({"order_id": 5}, {"more": 1, **approval["input"]}, {"customer_id": "X"}):
            status, problem = await do(client, f"{path}/edit", {"input": wrong})
            assert (status, problem["code"]) == (422, "invalid_edit")
        edited = {**approval["input"], "items": ["SKU-1202"]}
        status, decided = await do(client, f"{path}/edit", {"input": edited})
        assert (status, decided["verdict"]) == (200, "edited")
        assert decided["arguments"] == {**edited, "customer_id": "CUST-1001"}
        done = await is_done(client, approval["id"])
        assert done["result"]["data"]["items"] == [{"sku": "SKU-1202", "quantity": 1}]
        assert await effects(stack.shop) == ONE
        assert "SKU-1202" in await last_words(stack, conversation)


async def test_a_denied_call_is_not_made_and_the_model_knows_why(tmp_path: Path) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        conversation, approval = await ask_for_return(stack)
        path = f"/v1/approvals/{approval['id']}"
        await do(client, f"{path}/deny", {"reason": "it was used"})
        done = await is_done(client, approval["id"])
        assert (done["verdict"], done["result"]["effect"]) == ("denied", "none")
        assert "it was used" in await last_words(stack, conversation)
        assert await effects(stack.shop) == {}
        for action, body in (("approve", None), ("deny", {}), ("answer", {"result": 1})):
            status, problem = await do(client, f"{path}/{action}", body)
            assert (status, problem["code"]) == (409, "already_decided")
        # No colleague is bothered twice with the same.
        again = await stack.say(conversation, "return it")
        assert "it was used" in again.results("create_return")[0]["message"]
        await only_approval(client)


async def test_a_person_answers_in_the_tools_place(tmp_path: Path) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        conversation, approval = await ask_for_return(stack)
        body = {"result": {"id": "RET-BY-HAND"}, "reason": "done on the phone"}
        await do(client, f"/v1/approvals/{approval['id']}/answer", body)
        done = await is_done(client, approval["id"])
        assert done["result"]["data"] == {"id": "RET-BY-HAND"}
        assert "RET-BY-HAND" in await last_words(stack, conversation)
        assert await effects(stack.shop) == {}


async def test_what_nobody_decides_in_time_is_denied(tmp_path: Path) -> None:
    async with world(tmp_path, project(approval=", expires: 100ms")) as stack:
        client = stack.service.client
        conversation, approval = await ask_for_return(stack)
        done = await is_done(client, approval["id"])
        assert (done["verdict"], done["decidedBy"]) == ("expired", None)
        assert "in time" in await last_words(stack, conversation)
        status, _ = await do(client, f"/v1/approvals/{approval['id']}/approve")
        assert status == 409
        assert await effects(stack.shop) == {}


async def test_a_turn_that_waits_goes_on_with_the_decision(tmp_path: Path) -> None:
    async with world(tmp_path, project(approval=", wait: 50s")) as stack:
        client = stack.service.client
        conversation = await stack.service.open()
        sending = asyncio.create_task(stack.service.send(conversation, "return it"))

        async def asked() -> Any:
            return (await read(client, "/v1/approvals"))["approvals"]

        (approval,) = await until(asked)
        await do(client, f"/v1/approvals/{approval['id']}/approve")
        answer = await sending
        assert (answer["outcome"], answer["reason"]) == ("resolved", "end_turn")
        await is_done(client, approval["id"])
        assert await effects(stack.shop) == ONE
        turns = (await read(client, f"/v1/conversations/{conversation}"))["turns"]
        assert len(turns) == 1


async def test_unattended_every_call_is_denied_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, project(settings="people: {unattended: true}")) as stack:
        turn = await stack.ask("return it")
        assert turn.of("approval")[0]["state"] == "denied"
        assert "nobody is there" in turn.results("create_return")[0]["message"]
        assert turn.ending == ("resolved", "end_turn")
        assert (await read(stack.service.client, "/v1/approvals"))["approvals"] == []
        assert await effects(stack.shop) == {}


async def test_of_many_who_decide_at_once_one_does(tmp_path: Path) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        _, approval = await ask_for_return(stack)
        path = f"/v1/approvals/{approval['id']}"
        decisions = [do(client, f"{path}/approve") for _ in range(8)]
        decisions += [do(client, f"{path}/deny", {}) for _ in range(8)]
        statuses = sorted(status for status, _ in await asyncio.gather(*decisions))
        assert statuses == [200] + [409] * 15
        done = await is_done(client, approval["id"])
        made = done["verdict"] == "approved"
        assert await effects(stack.shop) == (ONE if made else {})


async def test_a_switched_off_tool_is_not_carried_out(tmp_path: Path) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        _, approval = await ask_for_return(stack)
        switch = "/v1/switches/tools/create_return"
        async with client.put(switch, json={"why": "refunds twice"}) as answer:
            assert answer.status == 200
        status, problem = await do(client, f"/v1/approvals/{approval['id']}/approve")
        assert (status, problem["code"]) == (409, "call_unavailable")
        async with client.delete(switch) as answer:
            assert answer.status == 204
        await do(client, f"/v1/approvals/{approval['id']}/approve")
        await is_done(client, approval["id"])
        assert await effects(stack.shop) == ONE


async def test_a_decision_does_not_disturb_a_conversation_that_a_person_has(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        conversation, approval = await ask_for_return(stack)
        turn = await stack.say(conversation, "person please")
        before = await texts(client, conversation)
        await do(client, f"/v1/approvals/{approval['id']}/approve")
        await is_done(client, approval["id"])
        assert await effects(stack.shop) == ONE
        assert await texts(client, conversation) == before
        path = f"/v1/escalations/{turn.answer['escalation']['id']}"
        note = (await read(client, path))["messages"][-1]
        assert (note["role"], "RET-5002" in note["text"]) == ("note", True)


@pytest.mark.parametrize("changed", [False, True])
async def test_a_call_outlives_a_killed_service_and_a_new_configuration(
    tmp_path: Path, changed: bool
) -> None:
    async with AsyncExitStack() as running:
        shop = await running.enter_async_context(run_shop(tmp_path / SHOP_DATABASE))
        sim = await running.enter_async_context(run_simulator(RULES))
        environment = {"SHOP_URL": shop.url, "INTERLOCK_MODEL_URL": sim.url}
        folder = write_project(project(), tmp_path / "project")
        async with (
            process(folder, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            opened = {"agent": "support", "customerId": "CUST-1001"}
            _, conversation = await do(client, "/v1/conversations", opened)
            _, answer = await send(client, conversation["id"], "return it")
            assert answer["reason"] == "approval_pending"
            service.send(signal.SIGKILL)
            await service.exit_status()
        if changed:
            tools = folder / "tools.d/shop.yaml"
            # The call that was asked for is made by the tool as it was then.
            tools.write_text(tools.read_text().replace("/returns'", "/nowhere'"))
        async with (
            process(folder, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            approval = await only_approval(client)
            assert approval["state"] == "pending"
            assert (await do(client, f"/v1/approvals/{approval['id']}/approve"))[0] == 200
            done = await is_done(client, approval["id"])
            assert done["result"]["status"] == "success"
            assert "RET-5002" in (await texts(client, conversation["id"]))[-1][1]
        assert await effects(shop) == ONE
        assert len(await idempotency_keys(tmp_path / SHOP_DATABASE)) == 1


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_service_killed_in_the_middle_of_the_call_does_not_do_it_twice(
    tmp_path: Path, idempotent: bool
) -> None:
    async with AsyncExitStack() as running:
        shop = await running.enter_async_context(run_shop(tmp_path / SHOP_DATABASE))
        sim = await running.enter_async_context(run_simulator(RULES))
        environment = {"SHOP_URL": shop.url, "INTERLOCK_MODEL_URL": sim.url}
        folder = write_project(project(idempotent=idempotent), tmp_path / "project")
        await shop.arm("returns", kind="hang", after_effect=True)
        async with (
            process(folder, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            opened = {"agent": "support", "customerId": "CUST-1001"}
            _, conversation = await do(client, "/v1/conversations", opened)
            await send(client, conversation["id"], "return it")
            approval = await only_approval(client)
            await do(client, f"/v1/approvals/{approval['id']}/approve")

            async def is_made() -> bool:
                return await effects(shop) == ONE

            await until(is_made)
            service.send(signal.SIGKILL)
            await service.exit_status()
        await shop.send("DELETE", "/faults")
        async with (
            process(folder, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            # Nobody has to ask again: what was decided is taken up by the next service.
            done = await is_done(client, approval["id"])
            if idempotent:
                assert done["result"]["status"] == "success"
            else:
                # Nobody can know, so a person looks.
                assert done["result"]["effect"] == "unknown"
                (found,) = (await read(client, "/v1/escalations"))["escalations"]
                assert found["reason"] == "unknown_effect"
        assert await effects(shop) == ONE
