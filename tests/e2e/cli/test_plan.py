"""`interlock plan` with real git repositories, a real store and the real command."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from interlock.cli.git_source import GitFailed, read_revision
from interlock.config.source import read_tree
from tests.e2e.cli.processes import interlock

AUTHOR = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip
AGENT = "agents.d/assistant.yaml"


def git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, **AUTHOR}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, message: str = "x") -> str:
    git(folder, "add", "--all", ".")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(project: Path) -> Path:
    """The starter's project, committed."""
    git(project, "init", "--quiet", "--initial-branch", "main")
    commit(project)
    return project


def raise_limit(project: Path) -> None:
    text = (project / AGENT).read_text()
    assert "maxIterations: 8" in text
    (project / AGENT).write_text(text.replace("maxIterations: 8", "maxIterations: 9"))


def test_a_clean_tree_has_no_changes_against_head(repository: Path) -> None:
    done = interlock("plan", cwd=repository)
    head = git(repository, "rev-parse", "HEAD")[:12]
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"compared with HEAD ({head})\nno changes\n",
        "",
    )


def test_an_edit_is_told_until_it_is_committed(repository: Path) -> None:
    raise_limit(repository)
    done = interlock("plan", cwd=repository)
    assert done.returncode == 2
    assert "assistant: limits.maxIterations" in done.stdout
    assert "(widening: a turn may go round more often)" in done.stdout
    git(repository, "tag", "before")
    commit(repository)
    assert interlock("plan", cwd=repository).returncode == 0
    done = interlock("plan", "--against", "before", cwd=repository)
    assert (done.returncode, "1 change, 1 of them widening" in done.stdout) == (2, True)
    names = ("before", "HEAD~1", "main^", git(repository, "rev-parse", "HEAD~")[:10])
    found = [asyncio.run(read_revision(repository, name)) for name in names]
    assert len({revision.commit for revision in found}) == 1


def test_a_plan_goes_both_ways_as_json(repository: Path) -> None:
    raise_limit(repository)
    there = json.loads(interlock("plan", "--format", "json", cwd=repository).stdout)
    commit(repository)
    git(repository, "checkout", "--quiet", "HEAD~1")
    back = interlock("plan", "--against", "main", "--format", "json", cwd=repository)
    assert back.returncode == 2
    [forth], [home] = there["changes"], json.loads(back.stdout)["changes"]
    assert (forth["before"], forth["after"]) == (home["after"], home["before"])
    assert (forth["widening"], home["widening"]) == (True, False)


def test_an_invalid_edit_fails_with_its_place(repository: Path) -> None:
    (repository / AGENT).write_text("name: [\n")
    done = interlock("plan", cwd=repository)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{AGENT}:")
    assert "error[ILK-Y001]" in done.stdout


def test_an_invalid_revision_fails_and_says_which(repository: Path) -> None:
    good = (repository / AGENT).read_text()
    (repository / AGENT).write_text("name: [\n")
    broken = commit(repository)
    (repository / AGENT).write_text(good)
    done = interlock("plan", cwd=repository)
    assert done.returncode == 1
    assert done.stdout.endswith(f" in HEAD ({broken[:12]})\n")


def test_a_project_may_be_a_folder_of_a_repository(tmp_path: Path, starter: Path) -> None:
    git(tmp_path, "init", "--quiet")
    subprocess.run(["cp", "-r", str(starter), "bots"], cwd=tmp_path, check=True)
    (tmp_path / "agents.d").mkdir()
    (tmp_path / "agents.d/other.yaml").write_text("not: ours\n")
    commit(tmp_path)
    raise_limit(tmp_path / "bots")
    assert interlock("plan", "bots", cwd=tmp_path).returncode == 2
    assert interlock("plan", cwd=tmp_path / "bots").returncode == 2


def test_a_hook_of_git_can_plan_what_is_committed(tmp_path: Path, starter: Path) -> None:
    git(tmp_path, "init", "--quiet")
    subprocess.run(["cp", "-r", str(starter), "bots"], cwd=tmp_path, check=True)
    commit(tmp_path)
    hook = tmp_path / ".git/hooks/pre-commit"
    command = f'"{sys.executable}" -m interlock.cli.main plan bots >plan.txt 2>&1'
    hook.write_text(f"#!/bin/sh\n{command}\necho $? >>plan.txt\n")
    hook.chmod(0o755)
    raise_limit(tmp_path / "bots")
    commit(tmp_path / "bots")
    said = (tmp_path / "plan.txt").read_text()
    assert "assistant: limits.maxIterations" in said
    assert said.endswith("\n2\n")


def test_nothing_to_compare_with_is_an_error(project: Path, tmp_path: Path) -> None:
    done = interlock("plan", cwd=project)
    assert done.returncode == 1
    assert "is not in a git repository" in done.stderr
    git(project, "init", "--quiet")
    done = interlock("plan", cwd=project)
    assert (done.returncode, "no git revision 'HEAD'" in done.stderr) == (1, True)
    (tmp_path / "project/note").touch()
    git(project, "add", "note")
    git(project, "commit", "--quiet", "--message", "x")
    done = interlock("plan", cwd=project)
    assert done.returncode == 1
    assert "has no configuration in '.'" in done.stderr


def test_a_revision_that_there_is_not_is_an_error(repository: Path) -> None:
    done = interlock("plan", "--against=--help", cwd=repository)
    assert done.returncode == 1
    assert "there is no git revision '--help'" in done.stderr
    for name in ("nowhere", "-p", "HEAD^{tree}", "main; true", "", "main\nmain"):
        with pytest.raises(GitFailed):
            asyncio.run(read_revision(repository, name))


def test_without_git_the_other_baselines_still_work(project: Path, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path / "nothing")}
    done = interlock("plan", cwd=project, environment=environment)
    assert (done.returncode, "is not in a git repository" in done.stderr) == (1, True)
    done = interlock("plan", "--against", ".", cwd=project, environment=environment)
    assert done.returncode == 0


def test_a_revision_is_read_as_the_folder_is(repository: Path) -> None:
    (repository / "plugins").mkdir(exist_ok=True)
    for name, data in {
        "agents.d/.hidden.yaml": b"a: [",
        "agents.d/old.yaml~": b"a: [",
        "agents.d/#old.yaml#": b"a: [",
        "agents.d/.git-ignored/x.yaml": b"a: [",
        "agents.d/prompts/Ünicode name.md": "prämpt".encode(),
        "plugins/empty.py": b"",
        "plugins/large.bin": bytes(1_500_000),
        "plugins/bytes.bin": bytes(range(256)),
        "plugins/__pycache__/x.pyc": b"x",
        "plugins/same.py": b"",
        "tools.d/sub/deep/more.yaml": b"# nothing\n",
        "elsewhere/agents.d/x.yaml": b"a: [",
    }.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_bytes(data)
    (repository / "plugins/link.py").symlink_to("same.py")
    (repository / "tools.d/first.yaml").symlink_to("second.yaml")
    (repository / "tools.d/second.yaml").symlink_to("../tools.d/sub/deep/more.yaml")
    commit(repository)
    revision = asyncio.run(read_revision(repository, "HEAD"))
    tree = read_tree(repository)
    assert revision.source.found == tree.found == ()
    assert revision.source.files == tree.files
    assert revision.source.digest == tree.digest
    assert len(revision.source.files["plugins/large.bin"]) == 1_048_577


def test_what_a_revision_alone_cannot_say_is_a_finding(repository: Path) -> None:
    (repository / "agents.d/out.yaml").symlink_to("../../somewhere.yaml")
    (repository / "agents.d/round.yaml").symlink_to("round.yaml")
    (repository / "tools.d/folder").symlink_to("../agents.d")
    commit(repository)
    revision = asyncio.run(read_revision(repository, "HEAD"))
    assert [(found.code, found.location.path) for found in revision.source.found] == [
        ("ILK-R002", "agents.d/out.yaml"),
        ("ILK-R002", "agents.d/round.yaml"),
        ("ILK-R002", "tools.d/folder"),
    ]


def test_a_submodule_is_a_finding(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "x.py").touch()
    commit(other)
    allowed = ("-c", "protocol.file.allow=always")
    git(repository, *allowed, "submodule", "--quiet", "add", str(other), "plugins/other")
    commit(repository)
    [found] = asyncio.run(read_revision(repository, "HEAD")).source.found
    assert (found.code, found.location.path) == ("ILK-R001", "plugins/other")


def test_a_broken_repository_is_an_error(repository: Path) -> None:
    blob = git(repository, "rev-parse", f"HEAD:{AGENT}")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitFailed, match=f"lacks the object {blob}"):
        asyncio.run(read_revision(repository, "HEAD"))
