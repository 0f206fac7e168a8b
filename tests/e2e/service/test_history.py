"""Configurations replace each other in a running service, and one can go back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interlock.service.keys import new_key
from tests.e2e.service.project import AGENT, write_project
from tests.e2e.service.running import Client, get, open_conversation, process, send, until

_REFUSING = """
guardrails: {{input: [{{use: max_length, with: {{characters: 1}}}}]}}
replies: {{refused: {text}}}
"""
_RELOAD = "reload: {{mode: {mode}, quiet: 20ms, resync: 100ms}}\n"


def write_agent(project: Path, text: str) -> None:
    """An agent that answers everything with `text`, as one can tell without a model."""
    path = project / "agents.d/support.yaml"
    new = path.with_suffix(".new~")
    new.write_text(AGENT + _REFUSING.format(text=text))
    new.replace(path)


def write_first(folder: Path, *, mode: str, keys: str = "") -> Path:
    """The project, with the agent's first text."""
    project = write_project(folder, keys=keys)
    settings = project / "interlock.yaml"
    settings.write_text(settings.read_text() + _RELOAD.format(mode=mode))
    write_agent(project, "first")
    return project


async def says(client: Client) -> str:
    """What the agent answers now."""
    _, answer = await send(client, await open_conversation(client), "hello")
    assert answer["outcome"] == "refused"
    return str(answer["reply"])


async def post(client: Client, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
    async with client.post(path, json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_the_history_tells_who_has_changed_what_and_why(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    key, digest = new_key()
    project = write_first(tmp_path, mode="manual", keys=f"{{name: ops, sha256: {digest}}}")
    headers = {"authorization": f"Bearer {key}"}
    async with (
        process(project, environment) as service,
        Client(service.url, headers=headers) as client,
    ):
        for text in ("second", "third"):
            write_agent(project, text)
            status, done = await post(client, "/v1/config/reload", {"why": f"say {text}"})
            assert (status, done["status"]) == (200, "applied")
            assert await says(client) == text
        page = await get(client, "/v1/config/history")
        entries = page["activations"]
        assert [(each["who"], each["why"], each["trigger"]) for each in entries] == [
            ("ops", "say third", "api"),
            ("ops", "say second", "api"),
            (None, None, "start"),
        ]
        assert [each["previous"] for each in entries] == [
            entries[1]["digest"],
            entries[2]["digest"],
            None,
        ]
        difference = await get(client, "/v1/config/diff")
        assert [each["path"] for each in difference["changes"]] == ["replies.refused"]
        assert difference["to"] == page["active"]
    # The next process goes on with the same history.
    async with (
        process(project, environment) as service,
        Client(service.url, headers=headers) as client,
    ):
        later = (await get(client, "/v1/config/history"))["activations"]
        assert (later[1:], later[0]["trigger"]) == (entries, "start")


async def test_a_rollback_holds_until_the_files_change_again(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    project = write_first(tmp_path, mode="auto")
    async with process(project, environment) as service, Client(service.url) as client:

        async def entries() -> list[Any]:
            return list((await get(client, "/v1/config/history"))["activations"])

        async def there_are(count: int) -> bool:
            return len(await entries()) == count

        assert await says(client) == "first"
        write_agent(project, "second")
        await until(lambda: there_are(2))
        assert await says(client) == "second"

        body = {"to": "previous", "why": "second is rude"}
        status, done = await post(client, "/v1/config/rollback", body)
        assert (status, done["status"]) == (200, "applied")
        # The files still say otherwise, and are looked at ten times a second.
        for _ in range(20):
            assert await says(client) == "first"

        write_agent(project, "third")
        await until(lambda: there_are(4))
        assert await says(client) == "third"
        found = await entries()
        assert [each["trigger"] for each in found] == ["watch", "rollback", "watch", "start"]
        assert found[1]["digest"] == found[3]["digest"]
        assert found[1]["why"] == "second is rude"


async def test_a_rollback_to_what_cannot_run_any_more_changes_nothing(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    project = write_first(tmp_path, mode="manual")
    tools = project / "tools.d/tools.yaml"
    tools.write_text(tools.read_text().replace("GATE_URL", "OLD_GATE_URL"))
    old = {**environment, "OLD_GATE_URL": environment["GATE_URL"]}
    async with process(project, old) as service, Client(service.url) as client:
        first = (await get(client, "/v1/config"))["active"]["digest"]
    tools.write_text(tools.read_text().replace("OLD_GATE_URL", "GATE_URL"))
    async with process(project, environment) as service, Client(service.url) as client:
        active = (await get(client, "/v1/config"))["active"]["digest"]
        body = {"to": first[:8], "why": "try"}
        status, problem = await post(client, "/v1/config/rollback", body)
        assert (status, problem["code"]) == (409, "config_invalid")
        assert [each["code"] for each in problem["findings"]] == ["ILK-C013"]
        assert "tools.d/tools.yaml" in problem["findings"][0]["text"]
        assert (await get(client, "/v1/config"))["active"]["digest"] == active
        assert await says(client) == "first"
