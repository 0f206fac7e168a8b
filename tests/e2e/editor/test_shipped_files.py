"""Every YAML file that ships names its schema for each document, and is free of findings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.cli.processes import interlock
from tests.e2e.editor.draft import ROOT
from tests.e2e.editor.language_server import Finding, LanguageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

_PATTERNS = ("interlock.yaml", "agents.d/**/*.yaml", "tools.d/**/*.yaml")
_PROJECTS = (ROOT, ROOT / "benchmarks" / "project")
_BREAK = "\n---\n"


async def test_no_shipped_file_has_a_finding(editor: LanguageServer) -> None:
    found = await _findings(editor, {path: path.read_text() for path in _shipped()})
    assert len(found) > 10
    assert {path.name: some for path, some in found.items() if some} == {}


async def test_every_document_of_a_shipped_file_is_checked(editor: LanguageServer) -> None:
    broken = {
        path.with_stem(f"{path.stem}-misspelt"): _misspell(path.read_text()) for path in _shipped()
    }
    for path, found in (await _findings(editor, broken)).items():
        wrong = [n for n, line in enumerate(broken[path].split("\n"), 1) if line == "misspelt: 1"]
        assert wrong, path
        assert sorted(one.line for one in found) == wrong, path
        assert {one.message for one in found} == {"Property misspelt is not allowed."}


async def test_a_new_project_is_bound_to_its_schemas(
    editor: LanguageServer, tmp_path: Path
) -> None:
    made = interlock("init", "project", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    paths = _yaml(tmp_path / "project")
    assert len(paths) >= 3
    found = await _findings(editor, {path: path.read_text() for path in paths})
    assert {path.name: some for path, some in found.items() if some} == {}

    broken = {path.with_stem("misspelt"): _misspell(path.read_text()) for path in paths}
    for path, some in (await _findings(editor, broken)).items():
        assert {one.marked for one in some} == {"misspelt"}, path


def _shipped() -> list[Path]:
    return [path for project in _PROJECTS for path in _yaml(project)]


def _yaml(project: Path) -> list[Path]:
    return [path for pattern in _PATTERNS for path in sorted(project.glob(pattern))]


def _misspell(text: str) -> str:
    return _BREAK.join(f"{part.rstrip()}\nmisspelt: 1" for part in text.split(_BREAK)) + "\n"


async def _findings(editor: LanguageServer, texts: dict[Path, str]) -> dict[Path, list[Finding]]:
    found = await asyncio.gather(*(editor.findings(path, text) for path, text in texts.items()))
    return dict(zip(texts, found, strict=True))
