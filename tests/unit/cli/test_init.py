from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.config.schema import generate
from interlock.config.source import read_tree
from interlock.guardrails import SETTINGS
from interlock.hooks.sinks import SETTINGS as SINKS
from interlock.reload.generation import check
from interlock.sim import load_rules

FILES = {
    ".gitignore",
    "README.md",
    "agents.d/assistant.yaml",
    "interlock.yaml",
    "plugins/opening_hours.py",
    "schemas/agent.json",
    "schemas/interlock.json",
    "schemas/tool.json",
    "sim.yaml",
    "tools.d/opening_hours.yaml",
    "tools.d/people.yaml",
}


def init(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["init", str(folder)])
    return result.exit_code, result.stdout


def test_a_new_folder_becomes_a_project_without_any_finding(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "shop"
    code, output = init(folder)
    assert code == 0
    written = {path for path in folder.rglob("*") if path.is_file()}
    assert {path.relative_to(folder).as_posix() for path in written} == FILES
    assert all(f"wrote {path}\n" in output for path in written)
    assert "interlock sim sim.yaml" in output
    loaded, _ = check(read_tree(folder), {})
    assert loaded.found == ()
    assert load_rules(folder / "sim.yaml").rules


def test_editors_find_the_schema_of_every_document(tmp_path: Path) -> None:
    init(tmp_path)
    for path in [tmp_path / "interlock.yaml", *tmp_path.glob("*.d/*.yaml")]:
        first = path.read_text().splitlines()[0]
        name = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / name).resolve().is_file(), path
    schemas = {path.name: path.read_text() for path in (tmp_path / "schemas").iterdir()}
    assert schemas == generate(SETTINGS, sinks=SINKS)


def test_the_commented_example_is_valid_once_the_comment_signs_are_gone(tmp_path: Path) -> None:
    init(tmp_path)
    tools = tmp_path / "tools.d" / "opening_hours.yaml"
    text = tools.read_text()
    example = text[text.index("# ---") :].replace("\n# ", "\n").removeprefix("# ")
    tools.write_text(text[: text.index("# ---")] + example)
    agent = tmp_path / "agents.d" / "assistant.yaml"
    agent.write_text(agent.read_text().replace("tools: [", "tools: [get_order, "))
    settings = tmp_path / "interlock.yaml"
    settings.write_text(settings.read_text() + 'environment: {SHOP_URL: "http://127.0.0.1:1"}\n')
    loaded, _ = check(read_tree(tmp_path), {})
    assert loaded.found == ()
    assert loaded.snapshot is not None
    assert "get_order" in loaded.snapshot.tools


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert init(tmp_path)[0] == 0


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    for name in "abcdefg":
        (tmp_path / name).write_text("mine")
    result = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert str(result.exception) == (
        f"'{tmp_path}' holds a, b, c, d, e and 2 more; choose a folder that is empty or new"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == list("abcdefg")
