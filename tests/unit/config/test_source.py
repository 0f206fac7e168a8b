from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.config.source import Source, read_tree
from interlock.config.yaml import MAX_FILE_BYTES
from tests.unit.config.project import base_files

files = st.dictionaries(st.text(min_size=1, max_size=4), st.binary(max_size=6), max_size=5)


@given(files, st.randoms())
def test_the_digest_does_not_depend_on_the_order(content: dict[str, bytes], random: Random) -> None:
    items = list(content.items())
    random.shuffle(items)
    assert Source(dict(items)).digest == Source(content).digest


@given(files, files)
def test_other_content_has_another_digest(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (Source(one).digest == Source(other).digest) == (one == other)


def test_any_byte_and_any_path_change_the_digest() -> None:
    base = base_files()
    digests = {Source(base).digest}
    changes = 0
    for path, data in base.items():
        for place in range(len(data)):
            flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            digests.add(Source({**base, path: flipped}).digest)
            changes += 1
        digests.add(
            Source({(f"{name}x" if name == path else name): base[name] for name in base}).digest
        )
        digests.add(Source({name: base[name] for name in base if name != path}).digest)
        changes += 2
    assert len(digests) == changes + 1


def test_content_cannot_move_between_files_unseen() -> None:
    digests = {
        Source(content).digest
        for content in (
            {"a": b"bc"},
            {"ab": b"c"},
            {"a": b"b", "c": b""},
            {"a": b"", "b": b"c"},
            {"a": b"1:b:1:c"},
        )
    }
    assert len(digests) == 5


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path)


def test_the_configuration_is_read_and_nothing_beside_it(tmp_path: Path) -> None:
    mine = [
        "agents.d/a.yaml",
        "agents.d/deep/er/b.yml",
        "agents.d/prompts/system.md",
        "interlock.yaml",
        "plugins/shop.py",
        "tools.d/t.yaml",
    ]
    write(tmp_path, *mine)
    write(
        tmp_path,
        "README.md",
        "var/interlock.db",
        "agents.d/.a.yaml.swp",
        "agents.d/.git/config",
        "agents.d/a.yaml~",
        "plugins/__pycache__/shop.pyc",
    )
    source = read_tree(tmp_path)
    assert {path: data.decode() for path, data in source.files.items()} == {p: p for p in mine}
    assert source.found == ()
    assert source.under("agents.d") == ["agents.d/a.yaml", "agents.d/deep/er/b.yml"]


def test_an_empty_folder_is_an_empty_source(tmp_path: Path) -> None:
    assert read_tree(tmp_path) == Source({})


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "interlock.yaml").mkdir()
    (found,) = read_tree(tmp_path).found
    assert (found.code, str(found.location)) == ("ILK-R001", "interlock.yaml:1:1")
    assert "cannot be read" in found.message


def test_a_file_whose_name_is_no_text_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, "agents.d/a.yaml")
    with open(os.fsencode(tmp_path / "agents.d") + b"/\xff.yaml", "wb"):
        pass
    source = read_tree(tmp_path)
    assert list(source.files) == ["agents.d/a.yaml"]
    assert len(source.digest) == 64
    (found,) = source.found
    assert (found.code, str(found.location)) == ("ILK-Y002", "agents.d/?.yaml:1:1")


def test_no_more_of_a_file_is_read_than_shows_that_it_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "interlock.yaml").write_bytes(b"x" * (MAX_FILE_BYTES + 1000))
    assert len(read_tree(tmp_path).files["interlock.yaml"]) == MAX_FILE_BYTES + 1


@pytest.mark.parametrize("target", ["agents.d/a.yaml", "elsewhere.yaml"])
def test_a_link_is_read_as_what_it_leads_to(tmp_path: Path, target: str) -> None:
    write(tmp_path, "agents.d/a.yaml", "elsewhere.yaml")
    (tmp_path / "agents.d/link.yaml").symlink_to(tmp_path / target)
    (tmp_path / "agents.d/broken.yaml").symlink_to(tmp_path / "nowhere")
    source = read_tree(tmp_path)
    assert source.files["agents.d/link.yaml"] == target.encode()
    assert "agents.d/broken.yaml" not in source.files


@pytest.mark.parametrize("folder", [False, True])
def test_a_link_out_of_the_project_is_a_finding(tmp_path: Path, folder: bool) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    write(project, "interlock.yaml", "agents.d/a.yaml")
    write(outside, "b.yaml")
    if folder:
        (project / "agents.d/linked").symlink_to(outside)
        name = "agents.d/linked"
    else:
        (project / "agents.d/b.yaml").symlink_to(outside / "b.yaml")
        name = "agents.d/b.yaml"
    source = read_tree(project)
    assert sorted(source.files) == ["agents.d/a.yaml", "interlock.yaml"]
    (found,) = source.found
    assert (found.code, str(found.location)) == ("ILK-R002", f"{name}:1:1")
    # Nothing of what lies there is shown.
    assert "b.yaml" not in found.message + (found.hint or "")


def test_a_link_out_of_the_project_is_followed_if_the_settings_say_so(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    write(project, "agents.d/a.yaml")
    write(outside, "tools/t.yaml")
    (outside / "interlock.yaml").write_text("reload: {followSymlinks: true}")
    (project / "tools.d").symlink_to(outside / "tools")
    (project / "interlock.yaml").symlink_to(outside / "interlock.yaml")
    source = read_tree(project)
    assert sorted(source.files) == ["agents.d/a.yaml", "interlock.yaml", "tools.d/t.yaml"]
    assert source.found == ()


@pytest.mark.parametrize(
    "settings",
    ["reload: {followSymlinks: yes}", "reload: true", "[", "", "x: {followSymlinks: true}"],
)
def test_only_a_clear_word_lets_links_lead_outside(tmp_path: Path, settings: str) -> None:
    project = tmp_path / "project"
    write(project, "agents.d/a.yaml")
    (project / "interlock.yaml").write_text(settings)
    (tmp_path / "b.yaml").write_text("b")
    (project / "agents.d/b.yaml").symlink_to(tmp_path / "b.yaml")
    assert [found.code for found in read_tree(project).found] == ["ILK-R002"]


def test_the_project_itself_may_be_behind_a_link(tmp_path: Path) -> None:
    write(tmp_path / "release", "interlock.yaml", "agents.d/a.yaml")
    (tmp_path / "release/agents.d/b.yaml").symlink_to("a.yaml")
    (tmp_path / "current").symlink_to("release")
    source = read_tree(tmp_path / "current")
    assert sorted(source.files) == ["agents.d/a.yaml", "agents.d/b.yaml", "interlock.yaml"]
    assert source == read_tree(tmp_path / "release")


def test_the_hidden_folders_of_a_config_map_are_seen_through_its_links_only(
    tmp_path: Path,
) -> None:
    write(tmp_path, "agents.d/..2026/a.yaml", "agents.d/..2026/prompts/p.md")
    (tmp_path / "agents.d/..data").symlink_to("..2026")
    (tmp_path / "agents.d/a.yaml").symlink_to("..data/a.yaml")
    (tmp_path / "agents.d/prompts").symlink_to("..data/prompts")
    source = read_tree(tmp_path)
    assert sorted(source.files) == ["agents.d/a.yaml", "agents.d/prompts/p.md"]
    assert source.found == ()


def test_links_that_go_round_in_circles_end(tmp_path: Path) -> None:
    write(tmp_path, "agents.d/a.yaml")
    (tmp_path / "agents.d/self").symlink_to(".")
    (tmp_path / "agents.d/loop.yaml").symlink_to("loop.yaml")
    source = read_tree(tmp_path)
    assert sorted(source.files) == ["agents.d/a.yaml"]
    assert [found.code for found in source.found] == ["ILK-R001"]


def test_a_project_that_cannot_be_entered_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (found,) = read_tree(tmp_path / "loop").found
    assert (found.code, found.location.path) == ("ILK-R001", "./")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "agents.d/a.yaml")
    os.mkfifo(tmp_path / "agents.d/pipe.yaml")
    assert sorted(read_tree(tmp_path).files) == ["agents.d/a.yaml"]
    os.mkfifo(tmp_path / "interlock.yaml")
    assert [found.code for found in read_tree(tmp_path).found] == ["ILK-R001"]


def test_what_cannot_be_read_changes_the_fingerprint(tmp_path: Path) -> None:
    write(tmp_path, "agents.d/a.yaml")
    whole = read_tree(tmp_path)
    (tmp_path / "agents.d/b.yaml").symlink_to("nowhere")
    dangling = read_tree(tmp_path)
    assert dangling.digest == whole.digest == whole.fingerprint
    assert dangling.fingerprint != whole.fingerprint
    (tmp_path / "agents.d/b.yaml").unlink()
    (tmp_path / "agents.d/c.yaml").symlink_to("nowhere")
    assert read_tree(tmp_path).fingerprint not in (whole.fingerprint, dangling.fingerprint)


class Meddler:
    """Changes the tree in the middle of being read, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, change: Callable[[int], None]) -> None:
        self.times = 0
        self.most = 1
        self._change = change
        opened = Path.open

        def open_and_meddle(path: Path, *args: Any, **kwargs: Any) -> Any:
            file = opened(path, *args, **kwargs)
            if args == ("rb",) and self.times < self.most:
                self.times += 1
                self._change(self.times)
            return file

        monkeypatch.setattr(Path, "open", open_and_meddle)


def test_a_tree_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "agents.d/a.yaml", "agents.d/b.yaml")
    meddler = Meddler(monkeypatch, lambda _: write(tmp_path, "agents.d/c.yaml"))
    source = read_tree(tmp_path)
    assert meddler.times == 1
    assert sorted(source.files) == ["agents.d/a.yaml", "agents.d/b.yaml", "agents.d/c.yaml"]
    assert source.found == ()


def test_a_file_that_is_gone_when_it_is_its_turn_is_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "agents.d/a.yaml", "agents.d/b.yaml")
    Meddler(monkeypatch, lambda _: (tmp_path / "agents.d/b.yaml").unlink())
    source = read_tree(tmp_path)
    assert (sorted(source.files), source.found) == (["agents.d/a.yaml"], ())


def test_two_halves_of_a_swap_are_never_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        for name in ("a", "b", "c"):
            path = tmp_path / f"agents.d/..{number}/{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(number))
            if number == 1:
                (tmp_path / f"agents.d/{name}.yaml").symlink_to(f"..data/{name}.yaml")
    (tmp_path / "agents.d/..data").symlink_to("..1")

    def swap(_: int) -> None:
        (tmp_path / "agents.d/..new").symlink_to("..2")
        os.rename(tmp_path / "agents.d/..new", tmp_path / "agents.d/..data")

    Meddler(monkeypatch, swap)
    assert set(read_tree(tmp_path).files.values()) == {b"2"}


def test_a_tree_that_never_rests_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "agents.d/a.yaml")
    meddler = Meddler(monkeypatch, lambda n: write(tmp_path, f"agents.d/new{n}.yaml"))
    meddler.most = 1000
    source = read_tree(tmp_path)
    assert source.files == {}
    assert [found.code for found in source.found] == ["ILK-R001"]
    assert "change while they are read" in source.found[0].message
