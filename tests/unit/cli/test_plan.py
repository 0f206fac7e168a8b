"""`interlock plan` against folders, stores and services; git has its own tests."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.config.source import read_tree
from interlock.store.store import Store
from tests.unit.cli.projects import AGENT, SETTINGS, TOOL, write_project


def plan(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["plan", *arguments])
    return result.exit_code, result.stdout


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return write_project(tmp_path / "before")


def test_nothing_to_change_is_exit_code_0(before: Path, tmp_path: Path) -> None:
    after = write_project(tmp_path / "after")
    code, output = plan(str(after), "--against", str(before))
    assert (code, output) == (0, f"compared with the folder {before}\nno changes\n")


def test_files_that_mean_the_same_are_no_change(before: Path, tmp_path: Path) -> None:
    other = "# A comment.\nlimits: {maxTokens: 50000}\n" + AGENT
    after = write_project(tmp_path / "after", agents__helper=other)
    code, output = plan(str(after), "--against", str(before))
    assert code == 0
    assert output.endswith("\nno changes\nthe files differ, but mean the same\n")


def test_changes_are_exit_code_2_and_widenings_come_first(before: Path, tmp_path: Path) -> None:
    agent = AGENT.replace("Helps.", "Helps all.") + "limits: {maxTokens: 80000}\n"
    settings = SETTINGS + "server: {port: 9090}\n"
    after = write_project(tmp_path / "after", agents__helper=agent, interlock=settings)
    code, output = plan(str(after), "--against", str(before))
    assert code == 2
    assert output == (
        f"compared with the folder {before}\n"
        "helper: limits.maxTokens 50000 → 80000 (widening: worst case $0.25 → $0.40 per"
        " conversation)\n"
        "helper: description Helps. → Helps all.\n"
        "service: server.port 8080 → 9090 (restart needed)\n"
        "3 changes, 1 of them widening\n"
        "restart needed: server.port\n"
    )


def test_long_texts_are_shown_where_they_differ(before: Path, tmp_path: Path) -> None:
    prompt = AGENT.replace("{system: You help.}", '{system: "You help.\\nAlways.\\n\x1b[2J"}')
    prompt = prompt.replace("\x1b", "\\e")
    after = write_project(tmp_path / "after", agents__helper=prompt)
    code, output = plan(str(after), "--against", str(before))
    assert code == 2
    lines = output.splitlines()
    assert lines[1] == "helper: prompts.system changed"
    assert lines[2:5] == ["     You help.", "    +Always.", "    +\ufffd[2J"]


def test_a_plan_is_one_json_document_for_programs(before: Path, tmp_path: Path) -> None:
    after = write_project(tmp_path / "after", interlock=SETTINGS + "server: {host: '::1'}\n")
    code, output = plan(str(after), "--against", str(before), "--format", "json")
    assert code == 2
    assert json.loads(output) == {
        "valid": True,
        "against": {"name": f"the folder {before}", "digest": read_tree(before).digest},
        "digest": read_tree(after).digest,
        "widenings": 0,
        "restartNeeded": ["server.host"],
        "changes": [
            {
                "subject": "service",
                "path": "server.host",
                "kind": "changed",
                "before": "127.0.0.1",
                "after": "::1",
                "widening": False,
                "note": None,
                "restartNeeded": True,
            }
        ],
    }


def test_an_invalid_working_tree_is_told_as_by_check(before: Path, tmp_path: Path) -> None:
    after = write_project(tmp_path / "after", agents__helper=AGENT + "limits: {maxTokens: 0}\n")
    code, output = plan(str(after), "--against", str(before))
    assert code == 1
    assert output == CliRunner().invoke(app, ["check", str(after)]).stdout
    code, output = plan(str(after), "--against", str(before), "--format", "json")
    assert code == 1
    document = json.loads(output)
    assert (document["valid"], document["in"]) == (False, None)
    assert [found["where"] for found in document["diagnostics"]] == ["limits.maxTokens"]


def test_a_baseline_that_is_not_valid_is_told_as_such(before: Path, tmp_path: Path) -> None:
    (before / "tools.d/people.yaml").write_text(TOOL + "colour: red\n")
    after = write_project(tmp_path / "after")
    code, output = plan(str(after), "--against", str(before))
    assert code == 1
    assert "tools.d/people.yaml:6:1: error[ILK-C002]: unknown key 'colour'" in output
    assert output.endswith(f"\n1 error in the folder {before}\n")


def test_a_baseline_may_refer_to_variables_that_are_not_set_here(
    before: Path, tmp_path: Path
) -> None:
    write_project(before, interlock=SETTINGS.replace(", default: none", ""))
    after = write_project(tmp_path / "after")
    code, output = plan(str(after), "--against", str(before))
    assert code == 2
    assert "service: providers.main.apiKey.default added: (hidden)\n" in output


def test_what_cannot_be_compared_with_is_said(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    result = CliRunner().invoke(app, ["plan", str(project)])
    assert result.exit_code == 1
    assert "is not in a git repository; say what to compare it with" in str(result.exception)
    result = CliRunner().invoke(app, ["plan", str(project), "--against", str(tmp_path)])
    assert result.exit_code == 1
    assert "is not live, a folder with interlock.yaml, a digest of 64 digits" in str(
        result.exception
    )


@pytest.mark.parametrize(
    "arguments", [["--colour"], ["--format", "xml"], ["nowhere"], ["--against"], [".", "."]]
)
def test_wrong_usage_is_never_taken_for_changes(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["plan", *arguments]).exit_code == 1


async def keep(project: Path, source: Path) -> str:
    found = read_tree(source)
    async with await Store.open("sqlite:///var/store.db", project=project) as store:
        await store.save_snapshot(found.digest, found.files)
    return found.digest


def test_a_snapshot_of_the_store_is_named_by_its_digest(before: Path, tmp_path: Path) -> None:
    after = write_project(tmp_path / "after", tools__more=TOOL.replace("hand_over", "more"))
    digest = asyncio.run(keep(after, before))
    code, output = plan(str(after), "--against", digest)
    assert code == 2
    assert output == (f"compared with the snapshot {digest[:12]}\ntool more: added\n1 change\n")
    result = CliRunner().invoke(app, ["plan", str(after), "--against", "0" * 64])
    assert result.exit_code == 1
    assert f"the project's store has no snapshot {'0' * 64}" in str(result.exception)


Answer = tuple[int, Any]


@contextmanager
def service(answers: Mapping[str | None, Answer]) -> Iterator[str]:
    """A service that answers for each value of the Authorization header."""

    async def snapshot(request: web.Request) -> web.Response:
        status, body = answers[request.headers.get("Authorization")]
        return web.json_response(body, status=status)

    async def run() -> None:
        application = web.Application()
        application.router.add_get("/v1/config/snapshot", snapshot)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        addresses.append(runner.addresses[0])
        ready.set()
        await asyncio.to_thread(done.wait)
        await runner.cleanup()

    addresses: list[Any] = []
    ready, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(20)
        yield f"http://127.0.0.1:{addresses[0][1]}"
    finally:
        done.set()
        thread.join()


def active(project: Path) -> dict[str, Any]:
    source = read_tree(project)
    files = {path: base64.b64encode(data).decode() for path, data in source.files.items()}
    return {"digest": source.digest, "files": files}


def test_a_service_is_asked_for_what_it_has_active(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = write_project(tmp_path / "after", agents__helper=AGENT.replace("Helps", "Serves"))
    with service({None: (200, active(before)), "Bearer k": (200, active(after))}) as url:
        code, output = plan(str(after), "--against", "live", "--url", f"{url}/")
        assert code == 2
        assert output == (
            f"compared with the service at {url}/\nhelper: description Helps. → Serves.\n1 change\n"
        )
        assert plan(str(after), "--against", "live", "--url", url, "--key", "k")[0] == 0
        monkeypatch.setenv("INTERLOCK_API_KEY", "k")
        assert plan(str(after), "--against", "live", "--url", url)[0] == 0


def test_the_settings_say_where_the_service_is(before: Path, tmp_path: Path) -> None:
    with service({None: (200, active(before))}) as url:
        settings = f"{SETTINGS}server: {{host: 127.0.0.1, port: {url.rpartition(':')[2]}}}\n"
        after = write_project(tmp_path / "after", interlock=settings)
        code, output = plan(str(after), "--against", "live")
    assert code == 2
    assert output.startswith(f"compared with the service at {url}\n")
    after = write_project(tmp_path / "after", interlock=f"{SETTINGS}server: {{port: 0}}\n")
    result = CliRunner().invoke(app, ["plan", str(after), "--against", "live"])
    assert "server.port is 0, so only --url can say where the service is" in str(result.exception)


PROBLEM = {"code": "unauthorized", "detail": "a key is needed", "status": 401}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, PROBLEM, "the service says unauthorized: a key is needed (give --key, or set"),
        (404, {"code": "not_found", "detail": "nothing there"}, "the service says not_found"),
        (502, "<html>", "answered with status 502; is it an Interlock service?"),
        (200, [], "did not answer with a configuration"),
        (200, {"digest": "x"}, "did not answer with a configuration"),
        (200, {"digest": "x", "files": {"a": "%"}}, "did not answer with a configuration"),
        (200, {"digest": "x", "files": {"a": 1}}, "did not answer with a configuration"),
        (200, {"digest": "x", "files": {}}, "do not have the digest that it named"),
    ],
)
def test_a_service_that_does_not_answer_properly_is_an_error(
    tmp_path: Path, status: int, body: Any, said: str
) -> None:
    project = write_project(tmp_path)
    with service({None: (status, body)}) as url:
        arguments = ["plan", str(project), "--against", "live", "--url", url]
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert said in str(result.exception)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://["])
def test_a_service_that_is_not_there_is_an_error(tmp_path: Path, url: str) -> None:
    project = write_project(tmp_path)
    result = CliRunner().invoke(app, ["plan", str(project), "--against", "live", "--url", url])
    assert result.exit_code == 1
    assert url in str(result.exception)
