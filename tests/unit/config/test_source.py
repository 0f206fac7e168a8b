from __future__ import annotations

import os
from pathlib import Path
from random import Random

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
