from __future__ import annotations

import base64
from typing import Any

import httpx2
import pytest

from interlock.diagnostics import Diagnostic, Location
from interlock.reload.outcome import Finding, Reason, ReloadOutcome, Status
from interlock.service.keys import new_key
from tests.unit.service.fakes import FakeRuntime, client_of, make_runtime

PATH = "/v1/config/reload"
FOUND = Finding(
    Diagnostic("ILK-C003", "must be 1", Location("agents.d/a.yaml", 3, 4), "try 1", where="x.y"),
    "agents.d/a.yaml:3:4: error[ILK-C003]: must be 1\n    3 | x\n",
)


def outcome(status: Status, reason: Reason | None = None, **changes: Any) -> ReloadOutcome:
    facts = {"digest": "o" * 64, "active": "a" * 64, "generation": 7, "previous": "p" * 64}
    findings = (FOUND,) if reason is not None else ()
    return ReloadOutcome(
        **{"status": status, "seconds": 0.25, "reason": reason, "findings": findings}
        | facts
        | changes
    )


async def test_a_reload_says_what_is_active(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.supervisor.outcome = outcome("applied", restart_needed=("server.port",))
    answer = await client.post(PATH, json={"why": "because", "allowRemovals": True})
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{"a" * 64}"'
    assert answer.json() == {
        "status": "applied",
        "generation": 7,
        "digest": "a" * 64,
        "previous": "p" * 64,
        "changes": [],
        "restartNeeded": ["server.port"],
        "warnings": [],
        "seconds": 0.25,
    }
    assert runtime.supervisor.asked == [
        {
            "trigger": "api",
            "who": None,
            "why": "because",
            "if_match": None,
            "allow_removals": True,
            "skip_canary": False,
        }
    ]


async def test_the_key_says_who_asks() -> None:
    key, digest = new_key()
    runtime = make_runtime(keys=[digest])
    runtime.supervisor.outcome = outcome("unchanged")
    async with client_of(runtime) as client:
        await client.post(PATH, json={}, headers={"authorization": f"Bearer {key}"})
    assert runtime.supervisor.asked[0]["who"] == "key0"


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        ("parse", 409, "config_parse"),
        ("invalid", 409, "config_invalid"),
        ("plugin", 409, "config_plugin"),
        ("mass_change", 409, "config_mass_change"),
        ("unreadable", 409, "config_unreadable"),
        ("stale_precondition", 412, "stale_precondition"),
        ("store", 503, "store_unavailable"),
    ],
)
async def test_a_rejection_is_a_problem_with_all_findings(
    client: httpx2.AsyncClient, runtime: FakeRuntime, reason: Reason, status: int, code: str
) -> None:
    runtime.supervisor.outcome = outcome("rejected", reason)
    answer = await client.post(PATH, json={})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["reason"] == reason
    assert (problem["digest"], problem["active"], problem["generation"]) == (
        "o" * 64,
        "a" * 64,
        7,
    )
    assert problem["findings"] == [
        {
            "severity": "error",
            "code": "ILK-C003",
            "message": "must be 1",
            "file": "agents.d/a.yaml",
            "line": 3,
            "column": 4,
            "where": "x.y",
            "hint": "try 1",
            "text": FOUND.text,
        }
    ]
    assert "agents.d/a.yaml:3:4: error[ILK-C003]: must be 1" in problem["detail"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, None), ("*", None), ('"abc"', "abc"), (' "abc" ', "abc")],
)
async def test_the_expected_digest_is_an_entity_tag(
    client: httpx2.AsyncClient, runtime: FakeRuntime, header: str | None, expected: str | None
) -> None:
    runtime.supervisor.outcome = outcome("unchanged")
    headers = {} if header is None else {"if-match": header}
    assert (await client.post(PATH, json={}, headers=headers)).status_code == 200
    assert runtime.supervisor.asked[0]["if_match"] == expected


@pytest.mark.parametrize("header", ["abc", '"abc', 'abc"', '""', '"a", "b"', 'W/"a"', ""])
async def test_anything_else_is_not(
    client: httpx2.AsyncClient, runtime: FakeRuntime, header: str
) -> None:
    answer = await client.post(PATH, json={}, headers={"if-match": header})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_if_match")
    assert runtime.supervisor.asked == []


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"[]", 422), (b'{"force": true}', 422), (b'{"why": 1}', 422)],
)
async def test_a_body_that_is_none_asks_for_nothing(
    client: httpx2.AsyncClient, runtime: FakeRuntime, content: bytes, status: int
) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post(PATH, content=content, headers=headers)
    assert answer.status_code == status
    assert runtime.supervisor.asked == []


async def test_other_web_pages_cannot_ask(client: httpx2.AsyncClient, runtime: FakeRuntime) -> None:
    answer = await client.post(PATH, content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert runtime.supervisor.asked == []


async def test_a_stopping_service_does_not_reload(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    runtime.stopping = True
    answer = await client.post(PATH, json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "shutting_down")


async def test_the_snapshot_is_given_whole(
    client: httpx2.AsyncClient, runtime: FakeRuntime
) -> None:
    answer = await client.get("/v1/config/snapshot")
    snapshot = runtime.supervisor.active
    assert answer.headers["etag"] == f'"{snapshot.digest}"'
    given = answer.json()
    assert given["digest"] == snapshot.digest
    files = {path: base64.b64decode(data) for path, data in given["files"].items()}
    assert files == dict(snapshot.files)
