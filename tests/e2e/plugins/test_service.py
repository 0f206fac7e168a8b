"""Plugins in a real `interlock serve` process: edited, broken and stuck while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from tests.e2e.reload.project import Project
from tests.e2e.reload.serving import Serving, serving, until

GUARD = """
import time
from pathlib import Path

from interlock import Deny, PluginSettings, SinkKind, hookimpl

interlock_api = 1


@hookimpl
def guard_input(data):
    return Deny("first")


class FileSettings(PluginSettings):
    path: str


class File:
    def __init__(self, settings):
        self.path = Path(settings.path)

    def write(self, event):
        with self.path.open("a") as file:
            file.write(event.type + "\\n")

    def close(self):
        with self.path.open("a") as file:
            file.write("closed\\n")


@hookimpl
def register_sinks():
    return {"file": SinkKind(FileSettings, File)}
"""


async def judged(service: Serving) -> Any:
    """What the guardrails said of a message."""
    answer = await service.say("hello")
    trace = await service.get(f"/v1/turns/{answer['turnId']}/trace")
    [event] = [event for event in trace["events"] if event["type"] == "guardrail"]
    return event["data"]


async def test_a_drop_in_is_edited_broken_and_stuck_while_the_service_runs(
    project: Project, environment: Mapping[str, str]
) -> None:
    project.write()
    told = project.folder / "told.txt"
    with (project.folder / "interlock.yaml").open("a") as settings:
        settings.write(
            f"plugins: {{required: [pub], limits: {{pub: {{timeout: 100ms, maxStuck: 1}}}}}}\n"
            f"sinks: [{{use: file, with: {{path: '{told}'}}}},"
            " {use: jsonl, with: {path: var/trace.jsonl}}]\n"
        )
    plugin = project.folder / "plugins" / "pub.py"
    plugin.write_text(GUARD)
    async with serving(project.folder, environment=environment) as service:
        denied = {"stage": "input", "verdict": "deny", "guardrail": "pub"}
        assert (await judged(service)).items() >= {**denied, "message": "first"}.items()

        status = plugin.stat()
        plugin.write_text(GUARD.replace("first", "other"))
        os.utime(plugin, ns=(status.st_atime_ns, status.st_mtime_ns))
        await service.active(project.digest)
        assert (await judged(service)).items() >= {**denied, "message": "other"}.items()

        plugin.write_text(GUARD.replace("(data)", "(text)"))
        rejected = await service.rejected()
        assert rejected["reason"] == "plugin"
        [finding] = rejected["findings"]
        assert (finding["code"], finding["file"], finding["line"]) == (
            *("ILK-P103", "plugins/pub.py"),
            11,
        )
        assert (await judged(service))["message"] == "other"

        stuck = GUARD.replace('return Deny("first")', "time.sleep(3600)")
        plugin.write_text(stuck)
        await service.active(project.digest)
        for _ in range(2):
            failed = await judged(service)
            assert failed["verdict"] == "deny"
            assert failed["message"] == "the check of the plugin 'pub' could not be made"
        assert "it did not answer within 0.1 s" in service.log
        assert "1 of its calls have not ended" in service.log

        plugin.write_text(GUARD)
        await service.active(project.digest)
        assert (await judged(service))["message"] == "first"
        assert await service.stop() == 0
    lines = told.read_text().splitlines()
    assert lines.count("guardrail") == 6
    assert lines.count("closed") == 4
    events = (project.folder / "var" / "trace.jsonl").read_bytes().splitlines()
    assert [from_json(line)["type"] for line in events] == [
        line for line in lines if line != "closed"
    ]


async def test_code_that_everybody_may_change_is_refused(
    project: Project, environment: Mapping[str, str]
) -> None:
    project.write()
    plugin = project.folder / "plugins" / "pub.py"
    async with serving(project.folder, environment=environment) as service:
        plugin.write_text(GUARD)
        plugin.chmod(0o666)
        rejected = await service.rejected()
        assert [each["code"] for each in rejected["findings"]] == ["ILK-R008"]

        async def is_taken() -> bool:
            return (await service.config())["rejected"] is None

        plugin.chmod(0o644)
        await until(is_taken)
        assert (await judged(service))["message"] == "first"
