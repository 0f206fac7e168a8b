from __future__ import annotations

import hashlib

import httpx2

from interlock.service.config_schemas import ConfigView
from interlock.service.keys import new_key
from interlock.service.schemas import AgentList
from tests.unit.service.fakes import NOW, FakeRuntime, client_of, make_runtime


async def test_agents_show_their_tools_and_limits(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/agents")
    (agent,) = AgentList.model_validate_json(answer.content).agents
    assert (agent.name, agent.tools) == ("support", ["get_order"])
    assert agent.limits.max_tokens == 9000
    assert agent.limits.max_cost_usd == "0.25"
    assert agent.limits.turn_timeout_seconds == 30


async def test_the_configuration_is_named_file_by_file(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    answer = await client.get("/v1/config")
    shown = ConfigView.model_validate_json(answer.content).active
    snapshot = runtime.generation.snapshot
    assert (shown.generation, shown.digest, shown.since) == (1, snapshot.digest, NOW)
    assert answer.headers["etag"] == f'"{snapshot.digest}"'
    assert [file.path for file in shown.files] == sorted(snapshot.files)
    for file in shown.files:
        data = snapshot.files[file.path]
        assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (shown.agents, shown.tools) == (["support"], ["get_order"])


async def test_no_secret_is_ever_shown() -> None:
    key, digest = new_key()
    async with client_of(make_runtime(keys=[digest])) as client:
        headers = {"authorization": f"Bearer {key}"}
        for path in ("/v1/config", "/v1/agents", "/v1/health", "/openapi.json"):
            text = (await client.get(path, headers=headers)).text
            assert digest not in text
            assert "very-secret" not in text
