from __future__ import annotations

import hashlib

import httpx2
import pytest

from interlock.model.identity import ApiKey
from interlock.service.keys import key_of, new_key
from tests.unit.service.fakes import client_of, make_runtime, make_snapshot


def entry(name: str, digest: str) -> ApiKey:
    return ApiKey(name=name, sha256=digest)


def test_a_new_key_comes_with_its_hash_and_never_twice() -> None:
    key, digest = new_key()
    assert key.startswith("ilk_")
    assert len(key) > 40
    assert digest == hashlib.sha256(key.encode()).hexdigest()
    assert new_key()[0] != key


def test_any_of_the_keys_is_known() -> None:
    made = [new_key() for _ in range(3)]
    keys = [entry(f"key{n}", digest) for n, (_, digest) in enumerate(made)]
    assert [key_of(key, keys) for key, _ in made] == keys
    assert key_of(new_key()[0], keys) is None
    assert key_of(made[0][1], keys) is None
    assert key_of("", keys) is None
    assert key_of(made[0][0], []) is None


KEY, DIGEST = new_key()
OTHER, OTHER_DIGEST = new_key()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer ilk_wrong"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"x-api-key": KEY},
    ],
)
async def test_requests_without_a_valid_key_are_turned_away(headers: dict[str, str]) -> None:
    runtime = make_runtime(keys=[DIGEST])
    async with client_of(runtime) as client:
        answer = await client.post(
            "/v1/conversations/conv_1/messages", json={"text": "hi"}, headers=headers
        )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "unauthorized"
    assert runtime.sent == []


async def test_two_authorization_headers_are_none() -> None:
    async with client_of(make_runtime(keys=[DIGEST])) as client:
        headers = httpx2.Headers([("authorization", f"Bearer {KEY}"), ("authorization", "x")])
        assert (await client.get("/v1/agents", headers=headers)).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("key", [KEY, OTHER], ids=["first", "second"])
async def test_every_valid_key_is_let_in(scheme: str, key: str) -> None:
    async with client_of(make_runtime(keys=[OTHER_DIGEST, DIGEST])) as client:
        answer = await client.get("/v1/agents", headers={"authorization": f"{scheme} {key}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/health/live", 200),
        ("/v1/health/ready", 200),
        ("/openapi.json", 200),
        ("/v1/health", 401),
        ("/v1/config", 401),
        ("/v1/config/snapshot", 401),
        ("/metrics", 401),
        ("/v1/health/live/", 401),
        ("//v1/config", 401),
        ("/V1/config", 401),
        ("/nothing", 401),
    ],
)
async def test_only_probes_and_the_description_are_open(path: str, status: int) -> None:
    async with client_of(make_runtime(keys=[DIGEST])) as client:
        assert (await client.get(f"http://localhost{path}")).status_code == status


async def test_the_keys_are_those_of_the_active_configuration() -> None:
    runtime = make_runtime(keys=[DIGEST])
    async with client_of(runtime) as client:
        headers = {"authorization": f"Bearer {OTHER}"}
        assert (await client.get("/v1/agents", headers=headers)).status_code == 401
        runtime.generation.snapshot = make_snapshot(keys=[OTHER_DIGEST])
        assert (await client.get("/v1/agents", headers=headers)).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "127.0.0.1:1"])
async def test_without_keys_this_machine_is_let_in(host: str) -> None:
    async with client_of(make_runtime()) as client:
        assert (await client.get("/v1/agents", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8080", "10.0.0.1", ""])
async def test_without_keys_other_names_are_turned_away(host: str) -> None:
    async with client_of(make_runtime()) as client:
        answer = await client.get("/v1/agents", headers={"host": host})
    assert answer.status_code == 421
    assert "auth.keys" in answer.json()["detail"]


async def test_with_keys_the_name_does_not_matter() -> None:
    async with client_of(make_runtime(keys=[DIGEST])) as client:
        headers = {"host": "api.example", "authorization": f"Bearer {KEY}"}
        assert (await client.get("/v1/agents", headers=headers)).status_code == 200
