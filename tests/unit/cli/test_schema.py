from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from interlock.cli.main import app

NAMES = ["agent.json", "interlock.json", "tool.json"]


def schema(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["schema", *arguments])
    return result.exit_code, result.stdout


def test_what_is_written_is_current(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    code, output = schema("--write", str(folder))
    assert code == 0
    assert output == "".join(f"wrote {folder / name}\n" for name in NAMES)
    assert schema("--check", str(folder)) == (0, f"current: {folder}\n")


def test_stale_and_missing_files_are_listed(tmp_path: Path) -> None:
    schema("--write", str(tmp_path))
    (tmp_path / "agent.json").write_text("{}\n")
    (tmp_path / "tool.json").unlink()
    code, output = schema("--check", str(tmp_path))
    assert code == 1
    assert output == f"stale: {tmp_path / 'agent.json'}\nstale: {tmp_path / 'tool.json'}\n"


def test_one_of_the_two_must_be_said(tmp_path: Path) -> None:
    assert schema()[0] == 2
    assert schema("--write", str(tmp_path), "--check", str(tmp_path))[0] == 2
    assert list(tmp_path.iterdir()) == []
