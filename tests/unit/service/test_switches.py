from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from interlock.service.schemas import SwitchView
from interlock.service.switch_schemas import SwitchList
from tests.unit.service.assembled import Assembled, assemble

WHY = {"why": "it loops"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Assembled]:
    async with assemble(tmp_path, key="night-shift") as service:
        yield service


async def switches(service: Assembled) -> list[SwitchView]:
    return SwitchList.model_validate(await service.get("/v1/switches")).switches


async def test_nothing_is_off_in_the_beginning(service: Assembled) -> None:
    assert await switches(service) == []


async def test_an_agent_is_switched_off_and_on(service: Assembled) -> None:
    answer = await service.client.put("/v1/switches/agents/support", json=WHY)
    assert answer.status_code == 200
    made = SwitchView.model_validate_json(answer.content)
    assert (made.kind, made.name, made.agent) == ("agent", "support", None)
    assert (made.who, made.why) == ("night-shift", "it loops")
    assert await switches(service) == [made]
    answer = await service.client.delete("/v1/switches/agents/support")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await switches(service) == []


async def test_a_tool_is_switched_off_for_all_or_for_one(service: Assembled) -> None:
    path = "/v1/switches/tools/get_order"
    for body in ({**WHY, "agent": "support"}, WHY):
        assert (await service.client.put(path, json=body)).status_code == 200
    assert [switch.agent for switch in await switches(service)] == ["support", None]
    await service.client.delete(path)
    assert [switch.agent for switch in await switches(service)] == ["support"]
    await service.client.delete(path, params={"agent": "support"})
    assert await switches(service) == []


async def test_asking_twice_is_asking_once(service: Assembled) -> None:
    path = "/v1/switches/agents/support"
    first = await service.client.put(path, json=WHY)
    second = await service.client.put(path, json={"why": "another reason"})
    assert first.json() == second.json()
    for _ in range(2):
        assert (await service.client.delete(path)).status_code == 204


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("agents/suport", "there is no agent 'suport'; did you mean 'support'?"),
        ("agents/get_order", "there is no agent 'get_order'; declared are: support"),
        ("tools/get_ordr", "there is no tool 'get_ordr'; did you mean 'get_order'?"),
        ("tools/support", "there is no tool 'support'; declared are: call_a_person, get_order"),
    ],
)
async def test_an_unknown_name_is_told_with_the_nearest(
    service: Assembled, method: str, path: str, words: str
) -> None:
    body = {"json": WHY} if method == "PUT" else {}
    answer = await service.client.request(method, f"/v1/switches/{path}", **body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_declared")
    assert answer.json()["detail"] == words
    assert await switches(service) == []


async def test_a_switch_that_would_switch_nothing_off_is_refused(service: Assembled) -> None:
    path = "/v1/switches/tools/get_order"
    answer = await service.client.put(path, json={**WHY, "agent": "sales"})
    assert (answer.status_code, "no agent 'sales'" in answer.json()["detail"]) == (404, True)
    agents = service.project / "agents.d"
    text = (agents / "support.yaml").read_text()
    other = text.replace("name: support", "name: sales").replace("[get_order, ", "[")
    (agents / "sales.yaml").write_text(other)
    await service.apply("# more")
    answer = await service.client.put(path, json={**WHY, "agent": "sales"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        "the agent 'sales' does not have the tool 'get_order'; its tools are: call_a_person"
    )


@pytest.mark.parametrize(
    "body", [{}, {"why": ""}, {"why": " "}, {"why": "x" * 501}, {**WHY, "agent": "support"}]
)
async def test_an_agents_switch_says_why_and_nothing_else(
    service: Assembled, body: dict[str, str]
) -> None:
    answer = await service.client.put("/v1/switches/agents/support", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_switch_survives_reloads_and_the_removal_of_its_agent(
    service: Assembled,
) -> None:
    for path in ("agents/support", "tools/get_order"):
        await service.client.put(f"/v1/switches/{path}", json=WHY)
    agent = service.project / "agents.d/support.yaml"
    agent.write_text(agent.read_text().replace("name: support", "name: sales"))
    body = {"allowRemovals": True}
    assert (await service.client.post("/v1/config/reload", json=body)).status_code == 200
    assert [switch.name for switch in await switches(service)] == ["support", "get_order"]
    # It is declared no more, but can be lifted; and then it is unknown.
    path = "/v1/switches/agents/support"
    assert (await service.client.delete(path)).status_code == 204
    assert (await service.client.delete(path)).status_code == 404
    assert [switch.name for switch in await switches(service)] == ["get_order"]


async def test_health_and_configuration_show_what_is_off(service: Assembled) -> None:
    assert (await service.get("/v1/health"))["switches"] == []
    await service.client.put("/v1/switches/agents/support", json=WHY)
    shown = (await service.get("/v1/switches"))["switches"]
    health = await service.get("/v1/health")
    assert (health["status"], health["switches"]) == ("ok", shown)
    assert (await service.get("/v1/config"))["switches"] == shown


async def test_a_failing_store_is_told_and_the_agent_is_off_all_the_same(
    service: Assembled,
) -> None:
    await service.runtime.store.close()
    answer = await service.client.put("/v1/switches/agents/support", json=WHY)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert [switch.name for switch in service.runtime.switches.active] == ["support"]


async def test_the_switches_of_one_process_are_those_of_the_next(tmp_path: Path) -> None:
    async with assemble(tmp_path) as service:
        await service.client.put("/v1/switches/agents/support", json=WHY)
        before = await switches(service)
        assert before[0].who is None
    async with assemble(tmp_path) as service:
        assert await switches(service) == before
        answer = await service.client.post("/v1/conversations", json={"agent": "support"})
        path = f"/v1/conversations/{answer.json()['id']}/messages"
        answered = (await service.client.post(path, json={"text": "Hello"})).json()
        assert (answered["outcome"], answered["reason"]) == ("refused", "agent_disabled")
        assert answered["reply"] == "I am sorry, I cannot help with that."
        assert answered["snapshot"] == service.supervisor.active.digest
        assert answered["modelCalls"] == 0
        trace = await service.get(f"/v1/turns/{answered['turnId']}/trace")
        assert [event["type"] for event in trace["events"]] == ["breaker", "response"]
        assert trace["events"][0]["data"]["why"] == "it loops"
