"""Every way in which watching files is known to go wrong, on real files with the real watcher.

Where the kernel's announcements must do, `resync` is an hour; where they cannot, it is short.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from interlock.errors import ConfigError
from tests.e2e.reload.following import following
from tests.e2e.reload.project import Project, agent

HOUR = "1h"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


class ConfigMap:
    """A folder as Kubernetes mounts a ConfigMap: files are links into a hidden folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def update(self, files: dict[str, str]) -> None:
        """Replaces all files at once, by the one rename that Kubernetes does too."""
        self._number += 1
        data = self._folder / f"..2026_11_22_{self._number}"
        data.mkdir(parents=True)
        for name, content in files.items():
            (data / name).write_text(content)
        before = (self._folder / "..data").resolve()
        (self._folder / "..data_tmp").symlink_to(data.name)
        os.rename(self._folder / "..data_tmp", self._folder / "..data")
        for name in files:
            link = self._folder / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")
        if before.name.startswith("..2026"):
            shutil.rmtree(before)


# 1, 2, 3: only hidden names are announced, and a watched file would be lost with the first swap.
@pytest.mark.parametrize("resync", [HOUR, "200ms"])
async def test_every_swap_of_a_config_map_is_applied(
    project: Project, state: Path, resync: str
) -> None:
    project.write(resync=resync)
    shutil.rmtree(project.folder / "agents.d")
    mounted = ConfigMap(project.folder / "agents.d")
    sales = agent("Sells.", name="sales")
    mounted.update({"support.yaml": agent("One."), "sales.yaml": sales})
    async with following(project.folder, state=state) as service:
        assert service.description == "One."
        for text in ("Two.", "Three.", "Four."):
            mounted.update({"support.yaml": agent(text), "sales.yaml": sales})
            await service.applied(text)
        await service.rests()


async def test_settings_that_are_mounted_as_a_config_map_are_applied(
    project: Project, state: Path
) -> None:
    project.write(resync=HOUR)
    settings = (project.folder / "interlock.yaml").read_text()
    (project.folder / "interlock.yaml").unlink()
    mounted = ConfigMap(project.folder)
    mounted.update({"interlock.yaml": settings})
    async with following(project.folder, state=state) as service:
        for share in (0.1, 0.2, 0.3):
            rules = settings.replace("quiet: 100ms", f"quiet: 100ms, maxRemoved: {share}")
            mounted.update({"interlock.yaml": rules})
            await service.applied("One.")
            assert service.supervisor.rules.max_removed == share
        await service.rests()


# 4, 5: announcements come in the middle of writing; neither step nor debounce waits for its end.
async def test_a_slow_writer_is_loaded_once_and_whole(project: Project, state: Path) -> None:
    project.write(quiet="1500ms")
    async with following(project.folder, state=state) as service:
        # Every beginning of it that ends with a line would be valid on its own.
        lines = [*agent("Two.").splitlines(keepends=True), *(f"# line {n}\n" for n in range(20))]
        with project.agent.open("w") as file:
            for line in lines:
                file.write(line)
                file.flush()
                await asyncio.sleep(0.05)
        await service.applied("Two.")
        assert service.supervisor.active.digest == project.digest
        await service.rests()


# 6: an editor replaces the file; a watch on the file itself would see one of three saves.
async def test_every_save_of_an_editor_is_applied(project: Project, state: Path) -> None:
    project.write(resync=HOUR)
    async with following(project.folder, state=state) as service:
        for text in ("Two.", "Three.", "Four."):
            saved = project.agent.with_name("support.yaml.new")
            saved.write_text(agent(text))
            backup = project.agent.with_name("support.yaml~")
            os.rename(project.agent, backup)
            os.rename(saved, project.agent)
            backup.unlink()
            await service.applied(text)
        await service.rests()


# 7: the kernel announces that the folder is gone, and nothing after that.
@pytest.mark.parametrize("folder", ["agents.d", "."])
async def test_a_folder_that_was_removed_and_made_again_is_watched_again(
    project: Project, state: Path, folder: str
) -> None:
    project.write()
    async with following(project.folder, state=state) as service:
        shutil.rmtree(project.folder / folder)
        refused = await service.next()
        assert (refused.status, service.description) == ("rejected", "One.")
        assert refused.reason == ("mass_change" if folder == "." else "invalid")
        project.write(text="Two.")
        # The files come one by one; what comes to rest in between is not valid, or it is whole.
        while (outcome := await service.next()).status != "applied":
            assert outcome.status == "rejected"
        assert service.description == "Two."
        await service.watching()
        project.describe("Three.")
        await service.applied("Three.")
        await service.rests()
        assert service.supervisor.watch.restarts


# 8: whoever watches a link watches what it led to.
async def test_a_project_behind_a_link_that_is_turned_elsewhere(
    tmp_path: Path, state: Path
) -> None:
    releases = [
        Project(tmp_path / "releases" / text).write(text=text).folder for text in ("One.", "Two.")
    ]
    current = tmp_path / "current"
    current.symlink_to(releases[0])
    async with following(current, state=state) as service:
        for release in (releases[1], releases[0], releases[1]):
            (tmp_path / "next").symlink_to(release)
            os.rename(tmp_path / "next", current)
            await service.applied(release.name)
        # What the link leads to is watched by now.
        await service.watching()
        Project(releases[1]).describe("Three.")
        await service.applied("Three.")
        await service.rests()


# 9: a file in a folder that was made just before is announced once in twenty times.
async def test_files_in_new_folders_are_all_found(project: Project, state: Path) -> None:
    project.write()
    async with following(project.folder, state=state) as service:
        for number in range(20):
            path = project.folder / "agents.d" / f"d{number}" / "deep" / "notes.md"
            path.parent.mkdir(parents=True)
            path.write_text(f"note {number}")
        while service.supervisor.active.digest != project.digest:
            assert (await service.next()).status == "applied"
        await service.rests()


# 10: the target of a link is in another folder, which nobody watches.
async def test_the_target_of_a_link_that_leads_outside_is_followed_if_wanted(
    project: Project, state: Path, tmp_path: Path
) -> None:
    project.write(more=", followSymlinks: true")
    outside = tmp_path / "outside.yaml"
    outside.write_text(agent("Two."))
    async with following(project.folder, state=state) as service:
        project.agent.unlink()
        project.agent.symlink_to(outside)
        await service.applied("Two.")
        for text in ("Three.", "Four."):
            outside.write_text(agent(text))
            await service.applied(text)
        assert service.unannounced
        await service.rests()


async def test_a_link_that_leads_outside_is_refused_otherwise(
    project: Project, state: Path, tmp_path: Path
) -> None:
    project.write()
    outside = tmp_path / "outside.yaml"
    outside.write_text(agent("Two."))
    async with following(project.folder, state=state) as service:
        project.agent.unlink()
        project.agent.symlink_to(outside)
        outcome = await service.next()
        assert (outcome.status, outcome.reason) == ("rejected", "invalid")
        assert outcome.findings[0].diagnostic.code == "ILK-R002"
        assert service.description == "One."


# 11, 12: modification times say little: they are whole seconds somewhere, and tools keep them.
async def test_edits_of_the_same_size_and_time_are_applied(project: Project, state: Path) -> None:
    project.write(text="Abcd.")
    status = project.agent.stat()
    os.utime(project.agent, ns=(status.st_atime_ns, 1_000_000_000))
    async with following(project.folder, state=state) as service:
        for text in ("Bcda.", "Cdab.", "Dabc."):
            project.describe(text)
            os.utime(project.agent, ns=(status.st_atime_ns, 1_000_000_000))
            await service.applied(text)
            assert project.agent.stat().st_size == status.st_size
        await service.rests()


async def test_a_variable_of_the_environment_does_not_make_it_poll(
    project: Project, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "true")
    project.write(resync=HOUR, text="Abcd.")
    os.utime(project.agent, ns=(0, 1_000_000_000))
    async with following(project.folder, state=state) as service:
        for text in ("Bcda.", "Cdab."):
            project.describe(text)
            os.utime(project.agent, ns=(0, 1_000_000_000))
            await service.applied(text)
        await service.rests()


async def test_the_second_of_two_edits_in_a_row_is_not_lost(project: Project, state: Path) -> None:
    project.write()
    async with following(project.folder, state=state) as service:
        project.describe("Two.")
        await service.applied("Two.")
        project.describe("Six.")
        await service.applied("Six.")
        await service.rests()


# 13 needs a process that can be stopped; it is in test_service.py.


# 14: a project that is not there is said to be missing, at the start and later.
async def test_a_missing_project_is_no_start(tmp_path: Path, state: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        async with following(tmp_path / "nowhere", state=state):
            raise AssertionError("it started")
    assert "is empty or gone" in refused.value.diagnostics[0].message


async def test_a_project_that_goes_missing_is_waited_for(project: Project, state: Path) -> None:
    project.write()
    moved = project.folder.with_name("moved")
    async with following(project.folder, state=state) as service:
        os.rename(project.folder, moved)
        refused = await service.next()
        assert (refused.status, refused.reason) == ("rejected", "mass_change")
        os.rename(moved, project.folder)
        back = await service.next()
        assert back.status == "unchanged"
        assert service.supervisor.standing.rejected is None
        await service.watching()
        project.describe("Two.")
        await service.applied("Two.")


# Beyond the table: what a tree may do while it is being changed.
async def test_two_files_that_are_saved_one_after_the_other_are_one_load(
    project: Project, state: Path
) -> None:
    project.write(quiet="1500ms")
    async with following(project.folder, state=state) as service:
        project.describe("Two.")
        await asyncio.sleep(0.2)
        (project.folder / "agents.d" / "sales.yaml").write_text(agent("Buys.", name="sales"))
        await service.applied("Two.")
        assert service.supervisor.active.agents["sales"].description == "Buys."
        await service.rests()


async def test_a_broken_file_never_removes_its_agent(project: Project, state: Path) -> None:
    project.write()
    async with following(project.folder, state=state) as service:
        for broken in ("", "name: [", agent("Two.") + "\nfoo: bar\n", "\x00"):
            project.agent.write_text(broken)
            refused = await service.next()
            assert (refused.status, refused.generation) == ("rejected", 1)
            assert service.description == "One."
        project.describe("Two.")
        await service.applied("Two.")


async def test_bad_content_is_tried_once(project: Project, state: Path) -> None:
    project.write(resync="100ms")
    async with following(project.folder, state=state) as service:
        project.agent.write_text("name: [")
        assert (await service.next()).status == "rejected"
        for number in range(5):
            # Looked at again and again, as these files are announced; but nothing has changed.
            (project.folder / f"unrelated{number}").write_text("x")
            await service.looks()
        project.describe("Two.")
        await service.applied("Two.")


async def test_a_dangling_link_is_a_passing_failure(project: Project, state: Path) -> None:
    project.write()
    async with following(project.folder, state=state) as service:
        os.rename(project.agent, project.agent.with_name("away"))
        project.agent.symlink_to("elsewhere.yaml")
        refused = await service.next()
        assert (refused.status, refused.reason) == ("rejected", "unreadable")
        assert service.description == "One."
        (project.folder / "agents.d" / "elsewhere.yaml").write_text(agent("Two."))
        project.agent.unlink()
        os.rename(project.agent.with_name("elsewhere.yaml"), project.agent)
        os.unlink(project.agent.with_name("away"))
        await service.applied("Two.")


async def test_hidden_files_and_backups_are_no_change(project: Project, state: Path) -> None:
    project.write(resync="100ms")
    async with following(project.folder, state=state) as service:
        for name in (".support.yaml.swp", "support.yaml~", "#support.yaml#", "__pycache__/x.pyc"):
            path = project.agent.with_name("x").parent / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("half")
        await service.looks()
        await service.rests()


async def test_in_manual_mode_files_wait_to_be_asked_for(project: Project, state: Path) -> None:
    project.write()
    async with following(project.folder, state=state) as service:
        project.write(more=", mode: manual")
        await service.applied("One.")
        project.write(more=", mode: manual", text="Two.")
        await service.reloaded("Two.")
        project.write(text="Three.")
        await service.reloaded("Three.")
        # Which has turned following on again.
        await service.watching()
        project.describe("Four.")
        await service.applied("Four.")
