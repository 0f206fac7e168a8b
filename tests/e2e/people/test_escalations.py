"""A conversation goes to a person and back again."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from interlock.config.source import Source
from tests.e2e.people.world import RULES, do, keys, project, read, texts, until, world
from tests.e2e.service.running import process, send
from tests.e2e.support.project import write_project
from tests.e2e.support.shop import run_shop
from tests.e2e.support.simulator import run_simulator
from tests.e2e.support.turn import prompt_text

PERSON = "person please, my kettle is broken"
WAITING = "A colleague has your message and will answer you here."


def with_validate(agent: str = "") -> Source:
    """The project with a model that judges and summarises."""
    files = project(agent).files
    name = "agents.d/support.yaml"
    changed = files[name].replace(b"execute: sonnet", b"execute: sonnet, validate: haiku")
    return Source({**files, name: changed})


async def test_a_person_answers_in_the_conversation_and_hands_it_back(tmp_path: Path) -> None:
    agent = "escalation: {queue: kettles, priority: high, sla: 15m}"
    async with world(tmp_path, project(agent)) as stack:
        client = stack.service.client
        conversation = await stack.service.open()
        first = await stack.say(conversation, PERSON)
        assert first.ending == ("escalated", "model_asked")
        (listed,) = (await read(client, "/v1/escalations?state=open&queue=kettles"))["escalations"]
        assert listed["id"] == first.answer["escalation"]["id"]
        assert (listed["queue"], listed["priority"]) == ("kettles", "high")
        assert 0 < listed["secondsLeft"] <= 900
        assert listed["lastToolCall"]["tool"] == "call_a_person"
        assert (await read(client, "/v1/escalations?queue=other"))["escalations"] == []
        path = f"/v1/escalations/{listed['id']}"
        # What the customer writes now is for the person: no model is asked.
        second = await stack.say(conversation, "are you there?")
        assert second.ending == ("escalated", "with_person")
        assert (second.reply, second.requests) == (WAITING, [])
        assert second.answer["escalation"]["id"] == listed["id"]
        assert len((await read(client, "/v1/escalations"))["escalations"]) == 1
        assert (await do(client, f"{path}/claim"))[1]["state"] == "claimed"
        status, answered = await do(client, f"{path}/reply", {"text": "I have sent a new one."})
        assert (status, answered["secondsLeft"]) == (200, None)
        assert (await texts(client, conversation))[-1] == ("person", "I have sent a new one.")
        detail = await read(client, path)
        assert [message["role"] for message in detail["messages"]] == [
            *("customer", "agent", "customer", "agent", "person")
        ]
        assert (await read(client, detail["trace"]))["turnId"] == first.answer["turnId"]
        status, back = await do(client, f"{path}/hand-back", {"note": "Offer a discount."})
        assert (back["state"], back["handedBack"]) == ("closed", True)
        third = await stack.say(conversation, "thank you")
        assert third.ending == ("resolved", "end_turn")
        said = str(third.prompts[-1]["messages"])
        assert "I have sent a new one." in said
        assert "Offer a discount." in said
        assert "Offer a discount." not in str(await texts(client, conversation))


async def test_the_summary_is_a_models_where_the_agent_names_one(tmp_path: Path) -> None:
    async with world(tmp_path, with_validate()) as stack:
        turn = await stack.ask(PERSON)
        summary = "The customer is angry about a broken kettle."
        assert turn.answer["escalation"]["summary"] == summary
        assert turn.rules[-1] == "summarise"
        assert turn.prompts[-1]["max_tokens"] <= 300
        assert "person please" in prompt_text(turn.prompts[-1])


async def test_only_one_person_has_an_escalation(tmp_path: Path) -> None:
    settings, known = keys("web", "anna", "ben")
    async with AsyncExitStack() as running:
        shop = await running.enter_async_context(run_shop(tmp_path / "shop.sqlite"))
        sim = await running.enter_async_context(run_simulator(RULES))
        folder = write_project(project(settings=settings), tmp_path / "project")
        environment = {"SHOP_URL": shop.url, "INTERLOCK_MODEL_URL": sim.url}
        service = await running.enter_async_context(process(folder, environment))
        client = await running.enter_async_context(aiohttp.ClientSession(service.url))
        web, anna, ben = known["web"], known["anna"], known["ben"]
        opened = {"agent": "support", "customerId": "CUST-1001"}
        _, conversation = await do(client, "/v1/conversations", opened, key=web)
        messages = f"/v1/conversations/{conversation['id']}/messages"
        _, answer = await do(client, messages, {"text": PERSON}, key=web)
        path = f"/v1/escalations/{answer['escalation']['id']}"
        assert (await do(client, f"{path}/claim", key=anna))[1]["claimedBy"] == "anna"
        assert (await do(client, f"{path}/claim", key=anna))[0] == 200
        for action, body in (
            ("claim", None),
            ("reply", {"text": "me"}),
            ("hand-back", {}),
            ("close", {}),
        ):
            status, problem = await do(client, f"{path}/{action}", body, key=ben)
            assert (status, problem["code"]) == (409, "escalation_conflict"), action
            assert "anna" in problem["detail"]
        assert (await do(client, f"{path}/reply", {"text": "Hello"}, key=anna))[0] == 200
        status, closed = await do(client, f"{path}/close", {"resolution": "replaced"}, key=anna)
        assert (closed["state"], closed["closedBy"]) == ("closed", "anna")
        for action in ("claim", "reply", "close"):
            status, problem = await do(client, f"{path}/{action}", {"text": "x"}, key=anna)
            assert status in (409, 422)
        seen = await read(client, f"/v1/conversations/{conversation['id']}", key=web)
        assert seen["messages"][-1]["author"] == "anna"
        status, problem = await do(client, "/v1/escalations/esc_none/claim", key=anna)
        assert (status, problem["code"]) == (404, "escalation_not_found")


async def test_an_escalation_outlives_a_killed_service(tmp_path: Path) -> None:
    async with AsyncExitStack() as running:
        sim = await running.enter_async_context(run_simulator(RULES))
        folder = write_project(project(), tmp_path / "project")
        environment = {"SHOP_URL": "http://127.0.0.1:9", "INTERLOCK_MODEL_URL": sim.url}
        async with (
            process(folder, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            opened = {"agent": "support", "customerId": "CUST-1001"}
            _, conversation = await do(client, "/v1/conversations", opened)
            _, answer = await send(client, conversation["id"], PERSON)
            service.send(signal.SIGKILL)
            await service.exit_status()
        async with (
            process(folder, environment) as service,
            aiohttp.ClientSession(service.url) as client,
        ):
            (found,) = (await read(client, "/v1/escalations/inbox"))["escalations"]
            assert found["id"] == answer["escalation"]["id"]
            _, again = await send(client, conversation["id"], "hello?")
            assert again["reason"] == "with_person"
            await do(client, f"/v1/escalations/{found['id']}/close", {})
            _, later = await send(client, conversation["id"], "hello?")
            assert later["outcome"] == "resolved"
            assert (await read(client, "/v1/escalations/inbox"))["escalations"] == []


async def test_an_escalation_that_nobody_answers_in_time_is_overdue(tmp_path: Path) -> None:
    async with world(tmp_path, project("escalation: {sla: 10ms, queue: slow}")) as stack:
        client = stack.service.client
        turn = await stack.ask(PERSON)
        path = f"/v1/escalations/{turn.answer['escalation']['id']}"

        async def is_counted() -> bool:
            async with client.get("/metrics") as answer:
                text = await answer.text()
            return 'interlock_escalations_total{event="overdue",queue="slow"} 1.0' in text

        await until(is_counted)
        found = await read(client, path)
        assert found["overdue"]
        assert found["secondsLeft"] < 0
        await do(client, f"{path}/reply", {"text": "Sorry that it took so long."})
        assert not (await read(client, path))["overdue"]


async def test_feedback_is_kept_once_and_shown(tmp_path: Path) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        turn = await stack.ask("hello")
        path = f"/v1/turns/{turn.answer['turnId']}"
        for rating in (2, 5):
            status, given = await do(client, f"{path}/feedback", {"rating": rating, "text": "ok"})
            assert (status, given["rating"]) == (200, rating)
        for body in ({"rating": 6}, {"rating": 0}, {"rating": "5"}, {}):
            assert (await do(client, f"{path}/feedback", body))[0] == 422
        assert (await do(client, "/v1/turns/turn_x/feedback", {"rating": 5}))[0] == 404
        seen = await read(client, f"/v1/conversations/{turn.answer['conversationId']}")
        assert seen["turns"][0]["feedback"]["rating"] == 5
        assert (await read(client, path))["feedback"]["text"] == "ok"
        async with client.get("/metrics") as answer:
            assert 'interlock_feedback_total{rating="2"} 1.0' in await answer.text()
