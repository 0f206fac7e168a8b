from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlock.config.source import Source
from interlock.model.settings import Settings
from interlock.reload.last_good import LastGood, state_folder


def source(text: str) -> Source:
    return Source({"interlock.yaml": text.encode(), "plugins/x.py": b"\xff\x00"})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_is_given_back_byte_by_byte(tmp_path: Path) -> None:
    kept = LastGood(tmp_path / "deep" / "er")
    kept.save(source("one"))
    kept.save(source("two"))
    newest = kept.newest()
    assert newest is not None
    assert newest.source == source("two")


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert LastGood(tmp_path / "nowhere").newest() is None


def test_five_are_kept(tmp_path: Path) -> None:
    kept = LastGood(tmp_path)
    for number in range(12):
        kept.save(source(str(number)))
    assert [name[:8] for name in names(tmp_path)] == [f"{n:08}" for n in range(8, 13)]
    newest = kept.newest()
    assert newest is not None
    assert newest.source == source("11")


def test_what_is_the_newest_already_is_not_kept_again(tmp_path: Path) -> None:
    kept = LastGood(tmp_path)
    for text in ("one", "one", "two", "two", "one"):
        kept.save(source(text))
    assert len(names(tmp_path)) == 3


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"digest": "x", "savedAt": "never", "files": {}}',
        b'{"digest": "x", "savedAt": "2026-11-22T00:00:00+00:00", "files": {"a": "%"}}',
        b'{"digest": "x", "savedAt": "2026-11-22T00:00:00+00:00", "files": {"a": 1}}',
        b'{"digest": "x", "savedAt": "2026-11-22T00:00:00+00:00", "files": {"a": "eA=="}}',
    ],
)
def test_a_damaged_one_is_passed_over(tmp_path: Path, damage: bytes) -> None:
    kept = LastGood(tmp_path)
    kept.save(source("one"))
    (tmp_path / "00000002-0123456789ab.json").write_bytes(damage)
    newest = kept.newest()
    assert newest is not None
    assert newest.source == source("one")
    kept.save(source("two"))
    after = kept.newest()
    assert after is not None
    assert after.source == source("two")


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    kept = LastGood(tmp_path)
    kept.save(source("one"))
    (path,) = tmp_path.iterdir()
    document = json.loads(path.read_text())
    document["files"]["interlock.yaml"] = "dHdv"
    path.write_text(json.dumps(document))
    assert kept.newest() is None


def test_only_the_owner_may_read_them_and_nothing_half_is_left(tmp_path: Path) -> None:
    LastGood(tmp_path).save(source("one"))
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "1-x.json").write_text("mine too")
    kept = LastGood(tmp_path)
    for number in range(7):
        kept.save(source(str(number)))
    assert {"notes.txt", "1-x.json"} <= set(names(tmp_path))


def settings(**sections: object) -> Settings:
    base = {
        "providers": {"a": {"apiKey": {"env": "KEY", "default": "x"}}},
        "models": {"m": {"provider": "a", "model": "claude-sonnet-4-6"}},
    }
    return Settings.model_validate_json(json.dumps({**base, **sections}))


def test_they_are_beside_the_store(tmp_path: Path) -> None:
    assert state_folder(tmp_path, settings(), {}) == tmp_path / "var" / "last-good"
    elsewhere = settings(store={"url": "sqlite:////srv/data/interlock.db"})
    assert state_folder(tmp_path, elsewhere, {}) == Path("/srv/data/last-good")
    by_variable = settings(store={"url": {"env": "URL"}})
    environment = {"URL": "sqlite:///data/x.db"}
    assert state_folder(tmp_path, by_variable, environment) == tmp_path / "data" / "last-good"


def test_they_are_where_the_settings_say(tmp_path: Path) -> None:
    chosen = settings(reload={"stateDir": "state/here"})
    assert state_folder(tmp_path, chosen, {}) == tmp_path / "state" / "here"


def test_there_is_a_place_without_a_file_for_the_store_and_without_settings(
    tmp_path: Path,
) -> None:
    remote = settings(store={"url": "postgresql://db/interlock"})
    assert state_folder(tmp_path, remote, {}) == tmp_path / "var" / "last-good"
    assert state_folder(tmp_path, None, {}) == tmp_path / "var" / "last-good"
