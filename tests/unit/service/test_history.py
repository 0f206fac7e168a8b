from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from interlock.service.config_schemas import Reloaded, SnapshotView
from interlock.service.history_schemas import Difference, HistoryPage
from tests.unit.service.assembled import AGENT, Assembled, assemble

MORE, LESS = "limits: {maxTokens: 80000}", "# limits follow"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Assembled]:
    async with assemble(tmp_path, key="night-shift") as service:
        yield service


async def history(service: Assembled, **params: object) -> HistoryPage:
    return HistoryPage.model_validate(await service.get("/v1/config/history", **params))


async def test_every_activation_is_listed_with_who_and_why(service: Assembled) -> None:
    first = service.supervisor.active.digest
    second = await service.apply(LESS, why="a remark")
    third = await service.apply(MORE, why="more room")
    page = await history(service)
    assert page.active == third
    assert [entry.digest for entry in page.activations] == [third, second, first]
    assert [entry.previous for entry in page.activations] == [second, first, None]
    assert [entry.trigger for entry in page.activations] == ["api", "api", "start"]
    assert [entry.who for entry in page.activations] == ["night-shift", "night-shift", None]
    assert [entry.why for entry in page.activations] == ["more room", "a remark", None]


async def test_the_history_comes_in_pages(service: Assembled) -> None:
    for number in range(4):
        await service.apply(f"# {number}")
    whole = (await history(service)).activations
    first = await history(service, limit=2)
    assert (first.activations, first.next) == (whole[:2], whole[1].id)
    rest = await history(service, limit=3, before=first.next)
    assert (rest.activations, rest.next) == (whole[2:], None)


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 201}, {"before": "%"}])
async def test_a_page_that_cannot_be_is_refused(
    service: Assembled, params: dict[str, object]
) -> None:
    answer = await service.client.get("/v1/config/history", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_what_was_active_is_given_out_byte_by_byte(service: Assembled) -> None:
    before = service.supervisor.active
    await service.apply(MORE)
    for name in (before.digest, before.digest[:8], "previous"):
        view = SnapshotView.model_validate(await service.get(f"/v1/config/snapshots/{name}"))
        assert view.digest == before.digest
        files = {path: base64.b64decode(data) for path, data in view.files.items()}
        assert files == dict(before.files)
    active = await service.get("/v1/config/snapshots/active")
    assert active == await service.get("/v1/config/snapshot")


@pytest.mark.parametrize("name", ["ffffffff", "abc", "previous", "A" * 64, "f" * 65])
async def test_what_was_never_active_is_not_found(service: Assembled, name: str) -> None:
    answer = await service.client.get(f"/v1/config/snapshots/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_snapshot")


async def test_a_beginning_that_several_have_is_a_conflict(service: Assembled) -> None:
    for last in "ab":
        await service.runtime.store.save_snapshot("12345678" + last * 56, {})
    answer = await service.client.get("/v1/config/snapshots/12345678")
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_digest")


async def test_two_configurations_are_compared_in_meaning(service: Assembled) -> None:
    first = service.supervisor.active.digest
    second = await service.apply(MORE)
    params = {"from": first[:12], "to": second[:12]}
    difference = Difference.model_validate(await service.get("/v1/config/diff", **params))
    assert (difference.from_, difference.to) == (first, second)
    (change,) = difference.changes
    assert (change.subject, change.path) == ("agent support", "limits.maxTokens")
    assert (change.before, change.after, change.widening) == ("50000", "80000", True)
    # What the last activation has changed is what one wants to know most often.
    assert await service.get("/v1/config/diff") == await service.get("/v1/config/diff", **params)


async def test_what_can_no_longer_be_read_cannot_be_compared(service: Assembled) -> None:
    digest = "e" * 64
    await service.runtime.store.save_snapshot(digest, {"interlock.yaml": b"models: 3\n"})
    answer = await service.client.get("/v1/config/diff", params={"from": digest})
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "unreadable_snapshot"
    assert "ILK-C003" in {finding["code"] for finding in problem["findings"]}


async def roll_back(service: Assembled, to: str, **headers: str):
    body = {"to": to, "why": "it promises refunds"}
    return await service.client.post("/v1/config/rollback", json=body, headers=headers)


async def test_a_rollback_makes_an_earlier_one_active_and_says_so(service: Assembled) -> None:
    first = service.supervisor.active.digest
    second = await service.apply(MORE)
    answer = await roll_back(service, "previous")
    assert answer.status_code == 200
    done = Reloaded.model_validate_json(answer.content)
    assert (done.status, done.digest, done.previous) == ("applied", first, second)
    assert [change.path for change in done.changes] == ["limits.maxTokens"]
    assert answer.headers["etag"] == f'"{first}"'
    assert service.runtime.generation.snapshot.agents["support"].limits.max_tokens == 50_000
    newest = (await history(service)).activations[0]
    assert (newest.digest, newest.trigger) == (first, "rollback")
    assert (newest.who, newest.why) == ("night-shift", "it promises refunds")
    shown = await service.get("/v1/config")
    assert (shown["active"]["digest"], shown["rolledBack"]) == (first, second)


async def test_a_rollback_to_what_is_active_changes_nothing(service: Assembled) -> None:
    digest = service.supervisor.active.digest
    answer = await roll_back(service, digest[:10])
    assert (answer.status_code, answer.json()["status"]) == (200, "unchanged")
    assert len((await history(service)).activations) == 1


async def test_a_rollback_to_what_is_no_longer_valid_is_refused(service: Assembled) -> None:
    active = service.supervisor.active.digest
    files = dict(service.supervisor.active.files)
    files[AGENT] += b"colour: red\n"
    await service.runtime.store.save_snapshot("e" * 64, files)
    answer = await roll_back(service, "eeeeeeee")
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["active"]) == ("config_invalid", active)
    assert [finding["code"] for finding in problem["findings"]] == ["ILK-C002"]
    assert service.supervisor.active.digest == active


async def test_a_rollback_may_be_bound_to_what_is_active(service: Assembled) -> None:
    first = service.supervisor.active.digest
    second = await service.apply(MORE)
    answer = await roll_back(service, first, **{"if-match": f'"{first}"'})
    assert (answer.status_code, answer.json()["reason"]) == (412, "stale_precondition")
    answer = await roll_back(service, first, **{"if-match": f'"{second}"'})
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [{}, {"to": "previous"}, {"to": "previous", "why": " "}])
async def test_a_rollback_says_where_to_and_why(service: Assembled, body: dict[str, str]) -> None:
    answer = await service.client.post("/v1/config/rollback", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_there_may_be_nothing_to_go_back_to(service: Assembled) -> None:
    assert (await roll_back(service, "previous")).status_code == 404


async def test_a_stopping_service_is_not_rolled_back(service: Assembled) -> None:
    await service.apply(MORE)
    await service.supervisor.close()
    assert (await roll_back(service, "previous")).status_code == 503
