from __future__ import annotations

from pathlib import Path

import pytest

from interlock.diagnostics import Diagnostic, Location
from interlock.model.base import SecretRef
from interlock.reload.candidate import reason_of
from interlock.reload.secrets import SecretFiles


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b" a b ", " a b "),
        ("kéy".encode(), "kéy"),
    ],
)
def test_a_secret_is_the_file_without_the_line_break_at_its_end(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    (tmp_path / "key").write_bytes(content)
    assert SecretFiles(tmp_path).read("key") == secret
    assert SecretFiles(Path("/nonexistent")).read(str(tmp_path / "key")) == secret


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"abc\n\n", "more than one line"),
        (b"secret-1\nsecret-2", "more than one line"),
        (b"abc\x00", "cannot be sent"),
        (b"secret\xff", "not UTF-8"),
        (b"x" * 70_000, "more than 65536 bytes"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_quoted(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ValueError, match=reason) as refused:
        SecretFiles(tmp_path).read("key")
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "no such file"),
        ("missing/key", "no such file"),
        ("folder", "no such file"),
        ("loop", "leads nowhere"),
        ("a\0b", "null byte"),
        ("x" * 5000, "name too long"),
    ],
)
def test_a_path_that_leads_to_no_file_says_why(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match=f"(?i){reason}"):
        SecretFiles(tmp_path).read(path)


@pytest.mark.parametrize(
    "path", ["plugins/key", "agents.d/x/key", "tools.d/../plugins/key", "link"]
)
def test_a_file_of_the_configuration_is_no_place_for_a_secret(tmp_path: Path, path: str) -> None:
    for folder in ("plugins", "agents.d/x", "tools.d"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("plugins/key", "agents.d/x/key"):
        (tmp_path / name).write_text("abc")
    (tmp_path / "link").symlink_to("plugins/key")
    with pytest.raises(ValueError, match="kept with the configuration"):
        SecretFiles(tmp_path).read(path)


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("one")
    secrets = SecretFiles(tmp_path)
    assert secrets.read("key") == "one"
    file.write_text("two")
    assert secrets.read("key") == "one"
    assert SecretFiles(tmp_path).read("key") == "two"


def test_a_reference_is_resolved_from_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file")
    secrets = SecretFiles(tmp_path)
    assert secrets.resolve("as it is", {}) == "as it is"
    assert secrets.resolve(SecretRef(file="key"), {}) == "from a file"
    assert secrets.resolve(SecretRef(env="KEY"), {"KEY": "set"}) == "set"
    assert secrets.resolve(SecretRef(env="KEY", default="else"), {}) == "else"


def test_a_secret_that_is_missing_may_be_there_in_a_moment() -> None:
    assert reason_of([Diagnostic("ILK-C029", "gone", Location("interlock.yaml"))]) == "unreadable"
