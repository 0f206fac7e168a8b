"""What docs/editors.md tells people to do works."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.editor.draft import ROOT
from tests.e2e.editor.language_server import running_server

in_the_session = pytest.mark.asyncio(loop_scope="session")

_PAGE = (ROOT / "docs" / "editors.md").read_text()
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILES = {
    "agents.d/without-a-line.yaml": "schemas/agent.json",
    "agents.d/sales/without-a-line.yaml": "schemas/agent.json",
    "tools.d/without-a-line.yaml": "schemas/tool.json",
}


def block(language: str) -> tuple[str, str]:
    """What stands after the language, and the text, of the only block in a language."""
    ((info, text),) = [
        (info, text) for name, info, text in _BLOCK.findall(_PAGE) if name == language
    ]
    return info.strip(), text


def settings() -> Mapping[str, Any]:
    """The settings for Visual Studio Code, as the extension hands them on."""
    shown: Mapping[str, Any] = json.loads(block("json")[1])
    assert all(name.startswith("yaml.") for name in shown)
    return {name.removeprefix("yaml."): value for name, value in shown.items()}


@in_the_session
async def test_the_file_that_is_shown_is_checked_in_both_documents(
    command: tuple[str, ...],
) -> None:
    info, text = block("yaml")
    path = ROOT / info.removeprefix("file=")
    broken = text.replace("category: lookup", "category: look")
    async with running_server(command, ROOT) as editor:
        assert await editor.findings(path, text) == []
        found = await editor.findings(path.with_stem("broken"), broken)
    assert [one.marked for one in found] == ["look", "look"]


@in_the_session
async def test_the_settings_bind_files_without_a_line(command: tuple[str, ...]) -> None:
    text = "misspelt: 1\n---\nmisspelt: 1\n"
    async with running_server(command, ROOT, settings()) as editor:
        for name in _FILES:
            found = await editor.findings(ROOT / name, text)
            assert [one.line for one in found if one.marked == "misspelt"] == [1, 3], name
        service = await editor.findings(ROOT / "interlock.yaml", "misspelt: 1\n")
        assert any(one.marked == "misspelt" for one in service)
        offers = await editor.offers(ROOT / "agents.d" / "limits.yaml", "lim", (0, 3))
    # Without the defaults, as the page promises.
    assert [one.inserts for one in offers if one.label == "limits"] == ["limits:\n  "]


def test_neovim_is_told_the_same_as_visual_studio_code() -> None:
    pairs = dict(re.findall(r"\['(.+?)'\] = '(.+?)'", block("lua")[1]))
    assert pairs == settings()["schemas"]
    assert {*_FILES.values(), "schemas/interlock.json"} == pairs.keys()
    assert "disableDefaultProperties = true" in block("lua")[1]


@in_the_session
async def test_the_line_for_jetbrains_is_read_by_the_language_server_too(
    command: tuple[str, ...],
) -> None:
    (line,) = re.findall(r"`(# \$schema: .+?)`", _PAGE)
    async with running_server(command, ROOT) as editor:
        found = await editor.findings(ROOT / "tools.d" / "jetbrains.yaml", f"{line}\nmisspelt: 1\n")
    assert any(one.marked == "misspelt" for one in found)
