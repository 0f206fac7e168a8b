"""Changing the configuration of a real `interlock serve` process, as operators do."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from interlock.config.source import Source
from interlock.service.keys import new_key
from tests.e2e.reload.project import Project, agent
from tests.e2e.reload.serving import Serving, interlock, serving, until
from tests.e2e.service.gate import Gate

_COUNT = 50
_BROKEN = agent("Two.").replace("maxTokens: 200000", "maxTokens: 0")
_FINDING = (
    "agents.d/support.yaml:5:21: error[ILK-C003]: limits.maxTokens must be at least 1, got 0\n"
    "    5 | limits: {maxTokens: 0}\n"
    "      |                     ^"
)


async def test_an_edit_takes_effect_and_a_running_turn_keeps_what_it_began_with(
    project: Project, environment: Mapping[str, str], gate: Gate
) -> None:
    project.write()
    before = project.digest
    async with serving(project.folder, environment=environment) as service:
        assert await service.refusal() == "One."
        waiting = asyncio.create_task(service.say("wait for me"))
        await gate.arrived.get()

        project.describe("Two.")
        config = await service.active(project.digest)
        assert await service.refusal() == "Two."
        assert (config["active"]["generation"], config["active"]["trigger"]) == (2, "watch")
        (draining,) = config["draining"]
        assert (draining["generation"], draining["digest"], draining["turns"]) == (1, before, 1)
        assert await service.metric("config_generation") == 2
        assert await service.metric("config_generations_draining") == 1
        assert await service.metric("turns_in_flight") == 1

        gate.open()
        answer = await waiting
        assert (answer["outcome"], answer["reply"]) == ("resolved", "The gate was opened.")
        turn = await service.get(f"/v1/turns/{answer['turnId']}")
        assert turn["snapshot"] == before
        prompts = await _prompts(environment["MODEL_URL"])
        assert prompts
        assert all("You help. One." in prompt for prompt in prompts)

        async def is_drained() -> bool:
            return (await service.config())["draining"] == []

        await until(is_drained)
        assert "support: description One. → Two." in service.log
        assert await service.stop() == 0


async def test_a_broken_edit_changes_nothing_and_is_told_everywhere(project: Project) -> None:
    project.write()
    good = project.digest
    async with serving(project.folder) as service:
        assert (await service.health())["status"] == "ok"
        project.agent.write_text(_BROKEN)
        rejected = await service.rejected()
        assert (rejected["reason"], rejected["digest"]) == ("invalid", project.digest)
        assert [finding["text"] for finding in rejected["findings"]] == [_FINDING]
        assert (await service.config())["active"]["digest"] == good
        assert await service.refusal() == "One."

        health = await service.health()
        assert (health["status"], health["reasons"]) == ("degraded", ["config_rejected"])
        assert (await service.get("/v1/health/ready"))["status"] == "ok"
        assert await service.metric("config_last_reload_successful") == 0
        assert await service.metric("config_reload_rejected_total", reason="invalid") == 1
        assert "configuration rejected (invalid)" in service.log
        assert _FINDING in service.log

        # The same is printed by the two commands that look at the files.
        code, output, _ = await interlock("check", str(project.folder), cwd=project.folder)
        assert (code, output.startswith(_FINDING)) == (1, True)
        code, output, _ = await interlock("reload", "--url", service.url, cwd=project.folder)
        assert (code, output.startswith(_FINDING)) == (1, True)
        assert f"rejected (invalid): generation 1, snapshot {good[:12]} serves on" in output

        project.describe("Two.")
        await service.active(project.digest)
        assert (await service.health())["status"] == "ok"
        assert (await service.config())["rejected"] is None
        assert await service.metric("config_last_reload_successful") == 1
        assert await service.refusal() == "Two."


async def test_a_file_that_is_repaired_to_what_is_active_is_in_order_again(
    project: Project,
) -> None:
    project.write()
    async with serving(project.folder) as service:
        project.agent.write_text(_BROKEN)
        await service.rejected()
        project.describe("One.")

        async def is_in_order() -> bool:
            return bool((await service.health())["status"] == "ok")

        await until(is_in_order)
        assert (await service.config())["active"]["generation"] == 1


async def test_in_manual_mode_a_signal_and_the_api_apply_the_files(project: Project) -> None:
    project.write(more=", mode: manual")
    first = project.digest
    async with serving(project.folder) as service:
        assert (await service.config())["watcher"]["state"] == "off"
        project.describe("Two.")
        service.send(signal.SIGHUP)
        config = await service.active(project.digest)
        assert config["active"]["trigger"] == "signal"

        project.describe("Three.")
        status, done = await service.post("/v1/config/reload", {"why": "ticket 7"})
        assert (status, done["status"], done["generation"]) == (200, "applied", 3)
        assert done["digest"] == project.digest
        assert [change["path"] for change in done["changes"]] == ["description", "replies.refused"]
        assert (await service.config())["active"]["why"] == "ticket 7"
        status, done = await service.post("/v1/config/reload", {})
        assert (status, done["status"], done["generation"]) == (200, "unchanged", 3)

        project.agent.write_text(_BROKEN)
        status, problem = await service.post("/v1/config/reload", {})
        assert (status, problem["code"], problem["reason"]) == (409, "config_invalid", "invalid")
        assert [finding["text"] for finding in problem["findings"]] == [_FINDING]

        project.describe("Four.")
        headers = {"if-match": f'"{first}"'}
        status, problem = await service.post("/v1/config/reload", {}, headers=headers)
        assert (status, problem["code"]) == (412, "stale_precondition")
        headers = {"if-match": f'"{done["digest"]}"'}
        status, done = await service.post("/v1/config/reload", {}, headers=headers)
        assert (status, done["status"]) == (200, "applied")
        assert await service.refusal() == "Four."
        status, problem = await service.post("/v1/config/reload", {}, headers={"if-match": "x"})
        assert (status, problem["code"]) == (400, "invalid_if_match")


async def test_a_burst_of_signals_does_no_harm(project: Project) -> None:
    project.write()
    async with serving(project.folder) as service:
        for _ in range(50):
            service.send(signal.SIGHUP)
        project.describe("Two.")
        await service.active(project.digest)
        assert (await service.health())["status"] == "ok"


async def test_signals_during_the_start_do_no_harm(project: Project) -> None:
    project.write()

    async def hail(process: asyncio.subprocess.Process) -> None:
        """Signals as soon as the process does not die of it, and until it answers."""

        async def heeds() -> bool:
            return _heeds_hangup(process.pid)

        await until(heeds)
        for _ in range(200):
            process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.01)

    async with serving(project.folder, meanwhile=hail) as service:
        project.describe("Two.")
        await service.active(project.digest)


async def test_an_emptied_tree_is_refused_and_removals_have_to_be_asked_for(
    project: Project,
) -> None:
    project.write(more=", maxRemoved: 0.4")
    good = project.digest
    async with serving(project.folder) as service:
        kept = project.folder.with_name("kept")
        shutil.copytree(project.folder, kept)
        for name in ("agents.d", "tools.d", "plugins"):
            shutil.rmtree(project.folder / name)
        (project.folder / "interlock.yaml").unlink()

        async def is_refused() -> bool:
            rejected = (await service.config())["rejected"]
            return bool(rejected and rejected["reason"] == "mass_change")

        await until(is_refused)
        assert await service.refusal() == "One."
        assert (await service.config())["active"]["digest"] == good
        shutil.copytree(kept, project.folder, dirs_exist_ok=True)

        async def is_in_order() -> bool:
            return bool((await service.health())["status"] == "ok")

        await until(is_in_order)

        (project.folder / "agents.d" / "sales.yaml").unlink()
        rejected = await service.rejected()
        assert rejected["reason"] == "mass_change"
        assert "1 of 2 agents would be removed: sales" in rejected["findings"][0]["message"]
        assert "--allow-removals" in rejected["findings"][0]["hint"]
        code, output, _ = await interlock("reload", "--url", service.url, cwd=project.folder)
        assert (code, "rejected (mass_change)" in output) == (1, True)
        arguments = ("--url", service.url, "--allow-removals", "--why", "sales has closed")
        code, output, _ = await interlock("reload", *arguments, cwd=project.folder)
        assert code == 0
        assert "sales: removed" in output
        assert f"applied: generation 2, snapshot {project.digest[:12]}" in output
        assert (await service.config())["active"]["agents"] == ["support"]
        code, output, _ = await interlock("reload", "--url", service.url, cwd=project.folder)
        assert (code, output.startswith("unchanged: generation 2")) == (0, True)


async def test_the_last_good_configuration_survives_a_restart(project: Project) -> None:
    project.write()
    async with serving(project.folder) as service:
        project.describe("Two.")
        await service.active(project.digest)
        good = project.digest
        assert await service.stop() == 0
    project.agent.write_text(_BROKEN)

    code, output, errors = await interlock(
        "serve", str(project.folder), "--port", "0", cwd=project.folder
    )
    assert (code, output) == (4, "")
    assert _FINDING in errors
    assert "serve --resume would start with the configuration of " in errors
    assert "not started" in errors

    async with serving(project.folder, "--resume") as service:
        assert await service.refusal() == "Two."
        config = await service.config()
        assert (config["active"]["digest"], config["active"]["trigger"]) == (good, "resume")
        assert config["resumed"] is not None
        assert config["rejected"]["reason"] == "invalid"
        health = await service.health()
        assert health["status"] == "degraded"
        assert health["reasons"] == ["config_rejected", "resumed"]
        assert await service.metric("config_resumed") == 1
        assert f"resumed with snapshot {good[:12]}" in service.log

        project.describe("Three.")
        config = await service.active(project.digest)
        assert (config["resumed"], config["rejected"]) == (None, None)
        assert (await service.health())["status"] == "ok"


async def test_a_stale_service_says_that_it_is_not_ready(project: Project) -> None:
    project.write(more=", maxStale: 1ms")
    async with serving(project.folder) as service:
        assert (await service.get("/v1/health/ready"))["status"] == "ok"
        project.agent.write_text(_BROKEN)
        await service.rejected()
        problem = await service.get("/v1/health/ready", status=503)
        assert problem["code"] == "config_stale"
        assert await service.refusal() == "One."


async def test_a_turn_that_outlasts_the_drain_ends_with_a_reason(
    project: Project, environment: Mapping[str, str], gate: Gate
) -> None:
    project.write(more=", drainTimeout: 100ms")
    async with serving(project.folder, environment=environment) as service:
        conversation = await service.open()
        waiting = asyncio.create_task(service.say("wait for me", conversation=conversation))
        await gate.arrived.get()
        project.describe("Two.")
        await service.active(project.digest)
        answer = await waiting
        assert (answer["outcome"], answer["reason"]) == ("failed", "generation_retired")
        assert answer["reply"]
        turn = await service.get(f"/v1/turns/{answer['turnId']}")
        assert (turn["state"], turn["reason"]) == ("ended", "generation_retired")
        gate.open()
        # The conversation goes on, with the configuration of now.
        assert (await service.say("x" * 200, conversation=conversation))["reply"] == "Two."


async def test_an_edited_plugin_of_the_same_size_and_time_takes_effect(
    project: Project, environment: Mapping[str, str]
) -> None:
    project.write()
    status = project.plugin.stat()
    async with serving(project.folder, environment=environment) as service:
        question = "Where is ORD-1001?"
        assert (await service.say(question))["reply"] == "Your order ORD-1001 was shipped."
        for word in ("delayed", "shipped", "delayed"):
            old, new = ("shipped", "delayed") if word == "delayed" else ("delayed", "shipped")
            project.plugin.write_text(project.plugin.read_text().replace(old, new))
            os.utime(project.plugin, ns=(status.st_atime_ns, status.st_mtime_ns))
            assert project.plugin.stat().st_size == status.st_size
            await service.active(project.digest)
            reply = (await service.say(question))["reply"]
            assert ("was shipped" in reply) == (word == "shipped")


async def test_nothing_is_left_open_by_reloads(
    project: Project, environment: Mapping[str, str]
) -> None:
    project.write(more=", mode: manual")

    async with serving(project.folder, environment=environment) as service:

        async def reload(count: int, start: int) -> None:
            for number in range(start, start + count):
                project.describe(f"Number {number}.")
                if number % 5 == 4:
                    project.agent.write_text(_BROKEN)
                status, _ = await service.post("/v1/config/reload", {})
                assert status == (409 if number % 5 == 4 else 200)
                await service.say("Where is ORD-1001?")

        await reload(10, 0)
        before = _descriptors(service)
        await reload(_COUNT, 10)
        assert len(_descriptors(service)) <= len(before) + 2, (before, _descriptors(service))
        assert await service.metric("config_generations_draining") == 0
        # Unchanged providers keep their connections, so the last turn needed no new ones.
        assert await service.metric("config_generation") == 1 + (10 + _COUNT) * 4 / 5


async def test_changes_that_the_kernel_had_no_room_for_are_found(project: Project) -> None:
    project.write()
    async with serving(project.folder) as service:

        async def is_watching() -> bool:
            return bool((await service.config())["watcher"]["state"] == "watching")

        await until(is_watching)
        service.send(signal.SIGSTOP)
        try:
            _flood(project.folder / "agents.d" / ".flood")
            project.describe("Two.")
        finally:
            service.send(signal.SIGCONT)
        await service.active(project.digest)
        assert await service.refusal() == "Two."


async def test_systemd_is_told_what_happens(project: Project, tmp_path: Path) -> None:
    project.write()
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.setblocking(False)
        loop = asyncio.get_running_loop()

        async def told() -> dict[str, str]:
            async with asyncio.timeout(60):
                text = (await loop.sock_recv(listener, 4096)).decode()
            return dict(line.partition("=")[::2] for line in text.splitlines())

        variables = {"NOTIFY_SOCKET": str(path)}
        async with serving(project.folder, environment=variables) as service:
            ready = await told()
            assert ready["READY"] == "1"
            assert ready["STATUS"].startswith("generation 1, snapshot ")
            service.send(signal.SIGHUP)
            reloading = await told()
            assert (reloading["RELOADING"], reloading["MONOTONIC_USEC"].isdecimal()) == ("1", True)
            assert set(await told()) == {"STATUS"}
            assert (await told())["READY"] == "1"
            project.agent.write_text(_BROKEN)
            assert "DEGRADED" in (await told())["STATUS"]
            service.send(signal.SIGTERM)
            assert await told() == {"STOPPING": "1"}
            assert await service.process.wait() == 0


async def test_the_last_key_of_a_service_that_others_reach_stays(project: Project) -> None:
    key, digest = new_key()
    entry = f"{{name: ops, sha256: '{digest}'}}"
    project.write(keys=entry, more=", mode: manual")
    async with serving(project.folder, "--host", "0.0.0.0", key=key) as service:
        project.describe("Two.")
        status, _ = await service.post("/v1/config/reload", {})
        assert status == 200
        assert (await service.config())["active"]["who"] == "ops"
        project.write(more=", mode: manual")
        status, problem = await service.post("/v1/config/reload", {})
        assert (status, problem["findings"][0]["code"]) == (409, "ILK-R004")
        # It still asks for the key.
        async with (
            aiohttp.ClientSession(service.url) as stranger,
            stranger.get("/v1/config") as answer,
        ):
            assert answer.status == 401


async def test_settings_of_the_start_are_named_and_all_others_applied(project: Project) -> None:
    project.write(more=", mode: manual")
    async with serving(project.folder) as service:
        settings = project.folder / "interlock.yaml"
        settings.write_text(settings.read_text().replace("port: 0", "port: 9"))
        project.describe("Two.")
        code, output, _ = await interlock("reload", "--url", service.url, cwd=project.folder)
        assert code == 0
        assert "restart needed: server.port" in output
        assert await service.refusal() == "Two."
        assert (await service.config())["active"]["restartNeeded"] == ["server.port"]


async def test_the_snapshot_is_given_byte_by_byte(project: Project) -> None:
    project.write()
    (project.folder / "agents.d" / "notes.bin").write_bytes(b"\xff\x00")
    async with serving(project.folder) as service:
        given = await service.get("/v1/config/snapshot")
    source = Source({path: base64.b64decode(data) for path, data in given["files"].items()})
    assert (source.digest, given["digest"]) == (project.digest, project.digest)


def _heeds_hangup(pid: int) -> bool:
    """Whether the process ignores or catches SIGHUP, by what the kernel says."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = re.findall(r"^Sig(?:Ign|Cgt):\s*(\w+)$", status, re.MULTILINE)
    return any(int(mask, 16) & 1 << signal.SIGHUP - 1 for mask in masks)


def _flood(path: Path) -> None:
    """Makes more announcements than the kernel has room for."""
    room = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    # A creation and a removal are two announcements that cannot be made one.
    for _ in range(room):
        path.touch()
        path.unlink()


async def _prompts(simulator: str) -> list[str]:
    """The system prompts that the models were sent, the planner's left out."""
    async with (
        aiohttp.ClientSession(simulator) as session,
        session.get("/requests?last=100") as answer,
    ):
        requests = (await answer.json())["requests"]
    texts = [str(request["body"]["system"]) for request in requests]
    return [text for text in texts if "You help." in text]


def _descriptors(service: Serving) -> list[str]:
    """What the process has open, without the numbers that tell one from another."""
    folder = Path(f"/proc/{service.process.pid}/fd")
    names = []
    for descriptor in folder.iterdir():
        try:
            names.append(re.sub(r"\d+", "N", os.readlink(descriptor)))
        except FileNotFoundError:
            continue
    return sorted(names)
